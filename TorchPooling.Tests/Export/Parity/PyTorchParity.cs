using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>What PyTorch computes with the files of the whole table: two Python processes for all, one to a core.</summary>
public sealed class PyTorchParity : IDisposable
{
    internal static readonly ScalarType[] Dtypes = ParityTable.AllDtypes ? [ScalarType.Float32, ScalarType.Float64] : [ScalarType.Float32];

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, List<(string Name, double[] Values)>> expected = [];
    private readonly JsonObject report;

    public PyTorchParity()
    {
        if (Python.Missing is not null)
        {
            report = new JsonObject();
            return;
        }

        var manifests = new[] { new JsonArray(), new JsonArray() };
        foreach (var (item, number) in ParityTable.Cases.Values.Select((item, number) => (item, number)))
        {
            foreach (var dtype in Dtypes.Where(dtype => ParityTests.Takes(item, dtype)))
            {
                manifests[number % 2].Add(Write(item, dtype, $"{number}.{dtype}"));
            }
        }

        var script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Export", "Parity", "parity.py"));
        var reports = manifests.AsParallel().Select((manifest, part) =>
        {
            File.WriteAllText(folder.File($"cases{part}.json"), manifest.ToJsonString());
            Python.Run(script, folder.Path, $"{part}");
            return JsonNode.Parse(File.ReadAllText(folder.File($"report{part}.json")))!.AsObject();
        });
        report = new JsonObject(reports.SelectMany(part => part).Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.DeepClone())));
    }

    /// <summary>C# and PyTorch side by side, or null where C# does not take the dtype.</summary>
    internal IEnumerable<(string Name, double[] CSharp, double[] PyTorch)>? Compare(ParityCase item, ScalarType dtype, string mode)
    {
        if (report[Id(item, dtype)] is not { } entry)
        {
            return null;
        }

        Assert.True(entry["error"] is null, (string?)entry["error"]);
        var bytes = File.ReadAllBytes(folder.File($"{Id(item, dtype)}.{mode}"));
        var values = MemoryMarshal.Cast<byte, double>(bytes).ToArray();
        var start = 0;
        var theirs = entry[mode]!.AsArray().Select(result =>
        {
            var count = result![1]!.AsArray().Aggregate(1, (product, size) => product * (int)size!);
            start += count;
            return ((string)result[0]!, values[(start - count)..start]);
        }).ToList();
        var ours = expected[$"{Id(item, dtype)}.{mode}"];
        Assert.Equal(ours.Select(result => result.Name), theirs.Select(result => result.Item1));
        return ours.Zip(theirs, (a, b) => (a.Name, a.Values, b.Item2));
    }

    /// <summary>The relative difference of the frozen model and of the one optimized for inference.</summary>
    internal double? Inference(ParityCase item, ScalarType dtype) => (double?)report[Id(item, dtype)]?["inference"];

    public void Dispose() => folder.Dispose();

    private static string Id(ParityCase item, ScalarType dtype) => $"{ParityTable.Cases.Keys.ToList().IndexOf(item.Name)}.{dtype}";

    private JsonObject Write(ParityCase item, ScalarType dtype, string id)
    {
        using var scope = NewDisposeScope();
        using var module = item.CreateIn(dtype);
        var inputs = item.As(dtype);
        item.Save(module, folder.File($"{id}.pt"), inputs);
        foreach (var training in new[] { false, true })
        {
            module.train(training);
            var parameters = module.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
            expected[$"{id}.{(training ? "train" : "eval")}"] =
            [
                .. ParityRun.Of(x => item.Call(module, x), parameters, () => module.named_buffers(), inputs, item)
                    .Select(result => (result.Name, result.Value.cpu().to(ScalarType.Float64).data<double>().ToArray())),
            ];
            torchscript.load_weights(module, folder.File($"{id}.pt"));   // statistics, and rows of bounded tables
        }

        var tensors = new JsonArray();
        foreach (var (tensor, i) in Values.Tensors(inputs).Select((tensor, i) => (tensor, i)))
        {
            File.WriteAllBytes(folder.File($"{id}.in{i}"), tensor.to(ScalarType.Float64).contiguous().bytes.ToArray());
            tensors.Add(new JsonArray($"{tensor.dtype}", new JsonArray([.. tensor.shape.Select(size => (JsonNode)size)])));
        }

        return new()
        {
            ["id"] = id,
            ["inputs"] = Values.Python(inputs),
            ["tensors"] = tensors,
            ["differentiable"] = item.Differentiable,
            ["no_gradient"] = item.NoGradient,
        };
    }
}
