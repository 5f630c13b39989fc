using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>Every module that can be exported against its file, loaded in TorchSharp.</summary>
public class ParityTests
{
    private static readonly string[] NoKernel = ["not implemented for", "expected scalar type", "expected m1 and m2 to have the same dtype"];

    public static TheoryData<string> Names => [.. ParityTable.Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_file_computes_outputs_gradients_and_buffers_as_CSharp_does(string name)
    {
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.Float16, ScalarType.BFloat16 })
        {
            using var scope = NewDisposeScope();
            using var folder = new TemporaryFolder();
            var item = ParityTable.Cases[name];
            using var module = item.Create();
            if (dtype != ScalarType.Float32 && (item.OnlyFloat32 || !Computes(item, module.to(dtype), dtype)))
            {
                continue;
            }

            item.Save(module, folder.File("m.pt"), item.As(dtype));
            foreach (var training in new[] { false, true })
            {
                using var script = jit.load(folder.File("m.pt"));
                module.train(training);
                script.train(training);
                var call = new ScriptCall(item.As(dtype));
                var parameters = module.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
                var exported = script.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
                var expected = ParityRun.Of(x => item.Call(module, x), parameters, () => module.named_buffers(), item.As(dtype), item);
                var actual = ParityRun.Of(x => call.Invoke(script, x), exported, () => script.named_buffers(), item.As(dtype), item);
                Assert.Equal(expected.Select(result => result.Name), actual.Select(result => result.Name));
                foreach (var (ours, theirs) in expected.Zip(actual))
                {
                    Tolerance.AssertClose(ours.Value, theirs.Value, Tolerance.Of(dtype) * 4, $"{dtype}, {(training ? "training" : "eval")}: {ours.Name}");
                }

                Assert.Contains(expected, result => result.Name == "output 0" && result.Value.numel() > 0);
            }
        }
    }

    private static bool Computes(ParityCase item, nn.Module module, ScalarType dtype)
    {
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
