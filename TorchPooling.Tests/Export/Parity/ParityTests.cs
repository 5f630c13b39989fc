using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>Every module that can be exported against its file, loaded in TorchSharp.</summary>
public class ParityTests
{
    private static readonly ScalarType[] Dtypes =
        ParityTable.AllDtypes ? [ScalarType.Float32, ScalarType.Float64, ScalarType.Float16, ScalarType.BFloat16] : [ScalarType.Float32];

    private static readonly string[] NoKernel = ["not implemented for", "expected scalar type", "expected m1 and m2 to have the same dtype"];

    public static TheoryData<string> Names => [.. ParityTable.Cases.Values.Where(item => !item.Random).Select(item => item.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_file_computes_outputs_gradients_and_buffers_as_CSharp_does(string name) => Check(name);

    internal static void Check(string name)
    {
        foreach (var dtype in Dtypes)
        {
            using var scope = NewDisposeScope();
            using var folder = new TemporaryFolder();
            var item = ParityTable.Cases[name];
            if (!Takes(item, dtype))
            {
                continue;
            }

            using var module = item.CreateIn(dtype);

            item.Save(module, folder.File("m.pt"), item.As(dtype));
            foreach (var training in new[] { false, true })
            {
                using var script = torchscript.load(folder.File("m.pt"));
                module.train(training);
                script.train(training);
                var call = new ScriptCall(item.As(dtype));
                var parameters = module.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
                var exported = script.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
                var passes = dtype == ScalarType.Float32 ? 2 : 1;   // TorchScript watches the first, and has derivatives of its own from then on
                for (var pass = 1; pass <= passes; pass++)
                {
                    var expected = ParityRun.Of(x => item.Call(module, x), parameters, () => module.named_buffers(), item.As(dtype), item);
                    var actual = ParityRun.Of(x => call.Invoke(script, x), exported, () => script.named_buffers(), item.As(dtype), item);
                    Assert.Equal(expected.Select(result => result.Name), actual.Select(result => result.Name));
                    foreach (var (ours, theirs) in expected.Zip(actual))
                    {
                        Tolerance.AssertClose(ours.Value, theirs.Value, Tolerance.Of(dtype) * 4, $"{dtype}, {(training ? "training" : "eval")}, pass {pass}: {ours.Name}");
                    }

                    Assert.Contains(expected, result => result.Name == "output 0" && result.Value.numel() > 0);
                }
            }
        }
    }

    /// <summary>Whether C# computes it in this dtype; in float32 it has to.</summary>
    internal static bool Takes(ParityCase item, ScalarType dtype)
    {
        if (dtype == ScalarType.Float32 || item.OnlyFloat32)
        {
            return dtype == ScalarType.Float32;
        }

        using var scope = NewDisposeScope();
        using var module = item.CreateIn(dtype);
        try
        {
            _ = ParityRun.Of(x => item.Call(module, x), [], () => [], item.As(dtype), item);
            return true;
        }
        catch (ExternalException e) when (NoKernel.Any(reason => e.Message.Contains(reason, StringComparison.Ordinal)))
        {
            return false;   // this libtorch has no such kernel on the CPU, or TorchSharp leaves a weight of the loss behind
        }
    }
}

/// <summary>The same for what draws random numbers: the file draws the same.</summary>
[Collection(nameof(AloneCollection))]
public class RandomParityTests
{
    public static TheoryData<string> Names => [.. ParityTable.Cases.Values.Where(item => item.Random).Select(item => item.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_file_draws_what_CSharp_does(string name) => ParityTests.Check(name);
}

/// <summary>The same files in PyTorch.</summary>
[Collection(nameof(AloneCollection))]
public class PyTorchParityTests(PyTorchParity files) : IClassFixture<PyTorchParity>
{
    public static TheoryData<string> Names => [.. ParityTable.Cases.Keys];

    [PyTorchTheory]
    [MemberData(nameof(Names))]
    public void PyTorch_computes_outputs_gradients_and_buffers_as_CSharp_does(string name)
    {
        var item = ParityTable.Cases[name];
        foreach (var dtype in PyTorchParity.Dtypes)
        {
            foreach (var mode in new[] { "eval", "train" })
            {
                foreach (var (result, ours, theirs) in files.Compare(item, dtype, mode) ?? [])
                {
                    Assert.Equal(ours.Length, theirs.Length);
                    var allowed = 4 * Tolerance.Of(dtype) * Math.Max(1, ours.Select(Math.Abs).DefaultIfEmpty().Max());
                    var gap = ours.Zip(theirs, (a, b) => Math.Abs(a - b)).DefaultIfEmpty().Max();
                    Assert.True(gap <= allowed, $"{dtype}, {mode}: {result} differs by {gap:G4}, allowed {allowed:G4}");
                }
            }
        }
    }

    [PyTorchTheory]
    [MemberData(nameof(Names))]
    public void Frozen_and_optimized_for_inference_it_computes_the_same(string name) => Assert.All(
        PyTorchParity.Dtypes, dtype => Assert.InRange(files.Inference(ParityTable.Cases[name], dtype) ?? 0, 0, 8 * Tolerance.Of(dtype)));
}

/// <summary>That the table is whole.</summary>
public class ParityTableTests
{
    /// <summary>What cannot be exported, and why.</summary>
    internal static readonly (nn.Module Module, string Reason)[] Refused =
    [
        (nn.Hardtanh(), "TorchSharp's Hardtanh gives back its input as it was, unless inplace is true"),
        (nn.AdaptiveMaxPool3d([1]), "its output_size is not set: TorchSharp's constructor forgets it, set the property"),
        (nn.LSTM(2, 1, 2, dropout: 0.02), "TorchSharp does not tell the dropout between its layers"),
        (nn.MultiheadAttention(4, 2), "TorchSharp does not tell its number of heads and its dropout"),
        (nn.Transformer(4, 2, 1, 1, 4), "TorchSharp does not tell its number of heads and its dropout"),
        (nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 4), 1), "TorchSharp does not tell its number of heads and its dropout"),
        (nn.TransformerEncoderLayer(4, 2, 4), "TorchSharp does not tell its number of heads and its dropout"),
        (nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 4), 1), "TorchSharp does not tell its number of heads and its dropout"),
        (nn.TransformerDecoderLayer(4, 2, 4), "TorchSharp does not tell its number of heads and its dropout"),
        (nn.TripletMarginWithDistanceLoss((x, y) => x), "has no TorchScript form: implement IScriptable or register one"),
    ];

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Refused.Length)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void What_cannot_be_exported_says_why(int number) => Assert.Contains(
        Refused[number].Reason,
        Assert.Throws<NotSupportedException>(() => new ScriptClasses(Refused[number].Module, "")).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_module_of_TorchSharp_is_in_the_table_or_refused()
    {
        var known = ParityTable.Cases.Values.SelectMany(item => item.Create().modules().Prepend(item.Create())).Concat(Refused.Select(item => item.Module))
            .Select(module => Open(module.GetType())).ToHashSet();
        var all = typeof(Sequential).Assembly.GetExportedTypes()
            .Where(type => type.IsSubclassOf(typeof(nn.Module)) && !type.IsAbstract && !type.IsNested);
        Assert.Equal("", string.Join(", ", all.Where(type => !known.Contains(Open(type)))));
    }

    private static Type Open(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
