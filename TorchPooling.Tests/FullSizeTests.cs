using System.Diagnostics;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>What the documentation says of time and memory at the sizes of the literature: run by command, one after the other.</summary>
[CollectionDefinition(nameof(FullSizeTests), DisableParallelization = true)]
[Collection(nameof(FullSizeTests))]
public class FullSizeTests(ITestOutputHelper output)
{
    [FullSizeFact]
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

    [FullSizeFact]
    public void Centres_of_fifty_thousand_descriptors_take_seconds()
    {
        using var scope = NewDisposeScope();
        var draw = new Generator(9);
        var points = (0.3 * randn([64, 1, 512], generator: draw) + randn([64, 800, 512], generator: draw)).reshape(-1, 512);
        var order = randperm(points.size(0), generator: draw);
        points = points.index_select(0, order)[..50_000];
        Measure("k-means++ and one round", () => KMeans.Fit(points, 64, 1));
        var clock = Stopwatch.StartNew();
        var lloyd = Measure("Lloyd's rounds to the end", () => KMeans.Fit(points, 64));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 60);
        var batches = Measure("10 passes in mini-batches of 1024", () => KMeans.Fit(points, 64, 10, batch_size: 1024));
        Measure("100 spherical passes in mini-batches of 1024", () => KMeans.Fit(points, 64, batch_size: 1024, spherical: true));
        var (exact, near) = (Error(lloyd), Error(batches));
        output.WriteLine($"mean squared distance to the nearest centre: {exact:0.0}, in mini-batches {near:0.0}");
        Assert.InRange(near / exact, 0.9, 1.1);

        double Error(Tensor centers) => cdist(points, centers).amin([1]).square().mean().ToDouble();
    }

    [FullSizeFact]
    public void A_whitening_from_32768_dimensions_to_4096_streams_from_a_file()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var draw = new Generator(9);
        var mixing = randn([6000, 32_768], generator: draw).mul_(arange(1, 6001, dtype: ScalarType.Float32).unsqueeze(1).pow(-0.5));
        NpyFile.Write(folder.File("descriptors.npy"), Enumerable.Range(0, 20).Select(_ => randn(500, 6000, generator: draw).matmul(mixing)));
        mixing.Dispose();
        var whitening = new PcaWhitening(32_768, 4096);
        var spectrum = Measure("whitening of 10,000 descriptors", () => whitening.Fit(NpyFile.ReadBlocks(folder.File("descriptors.npy"), 500)));
        using var gradients = no_grad();
        var y = cat([.. NpyFile.ReadBlocks(folder.File("descriptors.npy"), 500).Select(x =>
        {
            using (x)
            {
                return nn.functional.linear(x, whitening.get_parameter("weight")!, whitening.get_parameter("bias")!)[.., ..512];
            }
        })]);
        var covariance = y.t().matmul(y) / (y.size(0) - 1);
        output.WriteLine($"largest entry of the leading 512 covariances less the identity: {(covariance - eye(512)).abs().max().ToDouble():0.0000}");
        Tolerance.AssertClose(eye(512), covariance, 0.01);
        Assert.Equal(4096, spectrum.Variances.Count);
    }

    private T Measure<T>(string what, Func<T> work)
    {
        var clock = Stopwatch.StartNew();
        var result = default(T)!;
        var mebibytes = ProcessMemory.Of(() => result = work()).Peak >> 10;
        output.WriteLine($"{what}: {clock.Elapsed.TotalSeconds:0.0} s, peak of the process {mebibytes} MiB");
        Assert.InRange(mebibytes, 0, 4096);
        return result;
    }

    /// <summary>A test of minutes or gigabytes, run where TORCHPOOLING_SLOW is set, on Linux.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class FullSizeFactAttribute : FactAttribute
    {
        public FullSizeFactAttribute() => Skip = OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("TORCHPOOLING_SLOW") is not null
            ? null
            : "takes minutes and up to 4 GiB (set TORCHPOOLING_SLOW on Linux)";
    }
}
