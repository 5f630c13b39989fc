using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Retrieval;

/// <summary>Measures the process, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(MillionRowsTests), DisableParallelization = true)]
[Collection(nameof(MillionRowsTests))]
public class MillionRowsTests(ITestOutputHelper output)
{
    [SlowFact]
    public void A_thousand_queries_in_a_million_rows_fit_into_4_GiB()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var draw = new Generator(9);
        var queries = randn(1000, 256, generator: draw);
        NpyFile.Write(folder.File("database.npy"), Enumerable.Range(0, 100).Select(_ => randn(10_000, 256, generator: draw)));
        var streamed = Measure("from the file", () => NearestNeighbors.FindInBlocks(queries, NpyFile.ReadBlocks(folder.File("database.npy"), 50_000), 25));
        var database = NpyFile.Read(folder.File("database.npy"));
        var whole = Measure("in memory", () => NearestNeighbors.Find(queries, database, 25));
        Assert.Equal(whole.Indices, streamed.Indices);
        Assert.Equal(whole.Values, streamed.Values);
        Measure("inner products in memory", () => NearestNeighbors.Find(queries, database, 25, innerProduct: true));
        Measure("one query in memory", () => NearestNeighbors.Find(queries.narrow(0, 0, 1), database, 25));
    }

    private (Tensor Values, Tensor Indices) Measure(string what, Func<(Tensor Values, Tensor Indices)> find)
    {
        var clock = Stopwatch.StartNew();
        var found = find();
        var peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1];
        var mebibytes = long.Parse(peak, CultureInfo.InvariantCulture) >> 10;
        output.WriteLine($"{what}: {clock.Elapsed.TotalSeconds:0.0} s, peak of the process so far {mebibytes} MiB");
        Assert.InRange(mebibytes, 0, 4096);
        return found;
    }

    /// <summary>A test of minutes or gigabytes, run where TORCHPOOLING_SLOW is set, on Linux.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SlowFactAttribute : FactAttribute
    {
        public SlowFactAttribute() => Skip = OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("TORCHPOOLING_SLOW") is not null
            ? null
            : "takes a minute and 3 GB (set TORCHPOOLING_SLOW on Linux)";
    }
}
