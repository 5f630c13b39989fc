using TorchPooling.Tests.Build;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>Measures the process, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public class MemoryTests
{
    [LinuxFact]
    public void NetVLAD_does_not_grow_with_K_times_D()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(64, 512);
        var x = rand(2, 512, 30, 40);
        layer.call(x.narrow(3, 0, 2)).Dispose();   // libtorch's own start-up

        // The residual tensor would hold 2·64·512·1200 floats, 307,200 KiB; the map itself holds 4,800.
        Assert.InRange(Growth(() => layer.call(x).sum().backward()), long.MinValue, 40_000);
    }

    [LinuxFact]
    public void KMeans_copies_its_points_once()
    {
        using var scope = NewDisposeScope();
        // 50,000 KiB, some of it laid over pages that the process has already; in mini-batches, 2500 times the centres are 78,000.
        var points = randn(100_000, 128);
        KMeans.Fit(points[..1000], 64, 1).Dispose();
        Assert.InRange(Growth(() => KMeans.Fit(points, 64, 5).Dispose()), 40_000, 150_000);
        Assert.InRange(Growth(() => KMeans.Fit(points, 64, 5, batch_size: 200).Dispose()), 40_000, 150_000);
    }

    [LinuxFact]
    public void Neighbours_keep_to_the_memory_that_they_may_use()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        NpyFile.Write(folder.File("database.npy"), Enumerable.Range(0, 20).Select(_ => randn(10_000, 64)));   // 50,000 KiB
        var queries = randn(500, 64);
        NearestNeighbors.Find(queries, queries, 10);
        Assert.InRange(
            Growth(() => NearestNeighbors.FindInBlocks(queries, NpyFile.ReadBlocks(folder.File("database.npy"), 10_000), 10, workBytes: 16 << 20)), long.MinValue, 25_000);
    }

    [LinuxFact]
    public void RoIAlign_does_not_grow_with_the_samples_of_all_boxes()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var (x, boxes) = (rand(1, 1, 50, 50), tensor(new float[] { 0, 3, 4, 40, 41 }));
        // At once 25 million pixels with their weights, 20 bytes each and more, and 42 million samples.
        foreach (var (ratio, height, width, count) in new[] { (4, 28, 28, 500), (1024, 1024, 1, 40) })
        {
            Tensor Pool(int boxCount) => pooling.roi_align(x, boxes.expand(boxCount, 5), (height, width), sampling_ratio: ratio);
            Pool(1).Dispose();   // compiles
            Assert.InRange(Growth(() => Pool(count).Dispose()), long.MinValue, 250_000);
        }
    }

    /// <summary>By how many KiB the process grew at most meanwhile; the kernel counts by threads, so a little below 0 is none.</summary>
    private static long Growth(Action work)
    {
        var (before, peak) = ProcessMemory.Of(work);
        return peak - before;
    }
}
