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
    public void NetVLAD_trains_in_twice_the_memory_of_its_input()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(64, 512);
        var x = rand(16, 512, 30, 40).requires_grad_();   // 38,400 KiB, as many for its gradient
        layer.call(x[..1].narrow(3, 0, 2)).sum().backward();
        x.grad = null;
        Assert.InRange(Growth(() => layer.call(x).sum().backward()), long.MinValue, 125_000);
    }

    [LinuxFact]
    public void KMeans_copies_its_points_once()
    {
        using var scope = NewDisposeScope();
        // 50,000 KiB; in mini-batches, 2500 times the centres are 78,000.
        var points = randn(100_000, 128);
        KMeans.Fit(points[..1000], 64, 1).Dispose();
        Assert.InRange(Growth(() => KMeans.Fit(points, 64, 5).Dispose()), long.MinValue, 150_000);
        Assert.InRange(Growth(() => KMeans.Fit(points, 64, 5, batch_size: 200).Dispose()), long.MinValue, 150_000);
    }

    [LinuxFact]
    public void The_measure_sees_a_tensor_that_is_gone_again() =>
        Assert.InRange(Growth(() => zeros(1 << 27).fill_(1).Dispose()), 400_000, 600_000);   // 524,288 KiB

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
    public void Pools_of_overlapping_windows_do_not_hold_every_pixel_of_each()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        var x = rand(8, 512, 30, 40);   // 19,200 KiB; the windows of 5×5 hold 25 times that
        foreach (Func<Tensor, Tensor> pool in new Func<Tensor, Tensor>[]
        {
            map => pooling.power_pool2d(map, 5, 1, 2), map => pooling.soft_pool2d(map, 5, 1, 2), map => pooling.center_weighted_avg_pool2d(map, 5, 1, 2),
            map => pooling.stochastic_pool2d(map, 5, 1, 2, training: false), map => pooling.stochastic_pool2d(map, 5, 1, 2),
        })
        {
            pool(x.narrow(0, 0, 1)).Dispose();
            Assert.InRange(Growth(() => pool(x).Dispose()), long.MinValue, 10 * 19_200);
        }
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

    [LinuxFact]
    public void RoIPool_does_not_hold_the_maxima_of_all_windows()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 32, 400, 400);   // 20,000 KiB, of which windows of 1 to 32 pixels a side would be 36 times as much
        var boxes = tensor(new float[] { 0, 1, 1, 398, 398 }).expand(100, 5);
        pooling.roi_pool(x, boxes, 7).Dispose();   // compiles
        Assert.InRange(Growth(() => pooling.roi_pool(x, boxes, 7).Dispose()), long.MinValue, 150_000);
        x.requires_grad_();
        Assert.InRange(Growth(() => pooling.roi_pool(x, boxes, 7).sum().backward()), long.MinValue, 300_000);
    }

    /// <summary>By how many KiB the process grew at most meanwhile; the kernel counts by threads, so a little below 0 is none.</summary>
    private static long Growth(Action work)
    {
        var (before, peak) = ProcessMemory.Of(work);
        return peak - before;
    }
}
