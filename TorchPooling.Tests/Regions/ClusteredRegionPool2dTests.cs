using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

public class ClusteredRegionPool2dTests
{
    [Fact]
    public void Two_blobs_give_two_regions_from_the_top_down()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 2, 8, 8);
        x[0, 0, 5..7, 1..3] = tensor(new float[] { 1, 2, 3, 4 }).reshape(2, 2);   // strongest, and below
        x[0, 1, ..2, 5..7] = tensor(new float[] { 1, 1, 2, 2 }).reshape(2, 2);
        x[1, 0, 3..5, ..2] = 5;   // at one height: from left to right
        x[1, 1, 3..5, 6..] = 7;
        var expected = tensor(new float[] { 0, 4, 2, 0, 5, 0, 0, 7 }).reshape(2, 4);   // by image, channel, region
        Tolerance.AssertClose(expected, new ClusteredRegionPool2d(2).call(x), 0);
        Tolerance.AssertClose(tensor(new float[] { 0, 2.5f, 1.5f, 0, 5, 0, 0, 7 }).reshape(2, 4), new ClusteredRegionPool2d(2, BinReduction.Avg).call(x), 0);
    }

    [Theory]
    [InlineData(3, 0.25, 10)]
    [InlineData(5, 1.0, 3)]
    [InlineData(4, 0.1, 0)]
    [InlineData(40, 0.5, 5)]
    public void It_is_k_means_over_the_strong_positions_image_by_image(int regions, double share, int iterations)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(5, [3, 4, 9, 7], ScalarType.Float64);
        x[1] = (x[1] * 0.8).round();   // ties and zeros
        foreach (var reduction in Enum.GetValues<BinReduction>())
        {
            var expected = x.unbind(0).Select(image => ByHand(image, regions, reduction, share, iterations));
            Tolerance.AssertClose(stack(expected), pooling.clustered_region_pool2d(x, regions, reduction, share, iterations), where: $"{reduction}");
        }
    }

    [Fact]
    public void An_image_has_the_same_regions_in_every_batch_and_order()
    {
        using var scope = NewDisposeScope();
        var x = randn(6, 4, 9, 7);
        var order = tensor(new long[] { 4, 0, 5, 2, 1, 3 });
        var layer = new ClusteredRegionPool2d(4);
        Tolerance.AssertClose(layer.call(x)[order], layer.call(x[order]), 0);
        Tolerance.AssertClose(layer.call(x)[2..3], layer.call(x[2..3]), 0);
    }

    [Fact]
    public void Regions_follow_their_blobs_and_not_their_channels()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 3, 10, 10);
        x[0, .., 1..3, 1..3] = 1;
        x[0, .., 6..8, 5..7] = 2;
        var moved = x.roll([1, 2], [2, 3]);
        var layer = new ClusteredRegionPool2d(2);
        Tolerance.AssertClose(layer.call(x), layer.call(moved), 0);
        Tolerance.AssertClose(layer.call(x), layer.call(x.flip(1)), 0);
    }

    [Fact]
    public void Fewer_positions_than_regions_leave_the_last_empty_and_a_map_of_zeros_all()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 1, 4, 4).requires_grad_();
        using (no_grad())
        {
            x[0, 0, 1, 1] = 3;
            x[0, 0, 3, 0] = -2;
        }

        foreach (var reduction in Enum.GetValues<BinReduction>())
        {
            var y = pooling.clustered_region_pool2d(x, 4, reduction);
            Tolerance.AssertClose(tensor(new float[] { 3, -2, 0, 0, 0, 0, 0, 0 }).reshape(2, 4), y, 0);
            x.grad?.zero_();
            y.sum().backward();
            Assert.Equal(2, x.grad!.sum().ToSingle());
        }

        Tolerance.AssertClose(tensor(new float[] { 5, 0, 0 }).reshape(1, 3), pooling.clustered_region_pool2d(full([1, 1, 1, 1], 5f), 3), 0);
    }

    [Fact]
    public void The_maximum_s_first_position_takes_the_gradient_and_the_mean_s_share_it()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 2, 2).requires_grad_();
        pooling.clustered_region_pool2d(x, 1, share: 0.75).backward();
        Tolerance.AssertClose(tensor(new float[] { 1, 0, 0, 0 }).reshape(1, 1, 2, 2), x.grad!, 0);
        x.grad!.zero_();
        pooling.clustered_region_pool2d(x, 1, BinReduction.Avg, 0.5).backward();
        Tolerance.AssertClose(tensor(new[] { 0.5f, 0.5f, 0, 0 }).reshape(1, 1, 2, 2), x.grad!, 0);
    }

    [Fact]
    public void NaN_ends_in_its_region()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 6, 6);
        x[0, 0, 0, 0] = 1;
        x[0, 0, 5, 5] = float.NaN;
        var y = pooling.clustered_region_pool2d(x, 2);
        Assert.Equal([1f, float.NaN], y.data<float>().ToArray());
    }

    [Theory]
    [InlineData(0.07, 10, 10, 7)]   // 0.07 · 100 is 7.000000000000001 in float64
    [InlineData(0.28, 5, 5, 7)]
    [InlineData(0.14, 5, 10, 7)]
    [InlineData(0.55, 10, 10, 55)]
    [InlineData(0.071, 10, 10, 8)]
    [InlineData(1, 3, 3, 9)]
    [InlineData(1e-300, 3, 3, 1)]
    public void So_many_positions_are_interesting(double share, int height, int width, int count)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = arange(1, (height * width) + 1, dtype: ScalarType.Float64).reshape(1, 1, height, width);
        Assert.Equal(count, RegionFinder.Find(x, 1, share, 0).Strongest.size(1));
        var layer = new ClusteredRegionPool2d(1, BinReduction.Avg, share);
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        var mean = (height * width) - ((count - 1) / 2.0);   // of the largest values
        Assert.Equal(mean, layer.call(x).ToDouble(), 1e-12);
        Assert.Equal(mean, script.call(x).ToDouble(), 1e-12);
    }

    [Fact]
    public void More_regions_than_memory_holds_are_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(2, 1, 40, 40);
        try
        {
            Check.MemoryLimit = 1 << 20;
            var refusal = Assert.Throws<ArgumentOutOfRangeException>("num_regions", () => pooling.clustered_region_pool2d(x, 1024));
            Assert.Contains("of memory, got 4 times Float64 (2, 1024, 400)", refusal.Message, StringComparison.Ordinal);
            Assert.Equal([2, 8], pooling.clustered_region_pool2d(x, 8).shape);
        }
        finally
        {
            Check.MemoryLimit = null;
        }
    }

    [Fact]
    public void Settings_that_are_none_are_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected 1 to 1024", () => new ClusteredRegionPool2d(0));
        Refused("expected 1 to 1024", () => new ClusteredRegionPool2d(long.MaxValue));
        Refused("expected 0 to 1000", () => new ClusteredRegionPool2d(2, iterations: -1));
        Refused("expected Max or Avg", () => new ClusteredRegionPool2d(2, (BinReduction)7));
        foreach (var share in new[] { 0, -1, 1.1, double.NaN, double.PositiveInfinity })
        {
            Refused("expected a share above 0 and at most 1", () => new ClusteredRegionPool2d(2, share: share));
        }

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }

    /// <summary>The regions of one image (C, H, W) by loops over its positions.</summary>
    private static Tensor ByHand(Tensor image, int count, BinReduction reduction, double share, int iterations)
    {
        var (height, width) = ((int)image.size(1), (int)image.size(2));
        var strongest = (
            from row in Enumerable.Range(0, height)
            from column in Enumerable.Range(0, width)
            let pixel = image[.., row, column]
            let norm = Math.Sqrt(pixel.square().sum().ToDouble())
            orderby norm descending
            select (Pixel: pixel, Norm: norm, Y: ((2.0 * row) + 1) * width, X: ((2.0 * column) + 1) * height, row, column))
            .Take((int)Math.Ceiling(share * height * width)).Where(p => p.Norm > 0).OrderBy(p => p.row).ThenBy(p => p.column).ToList();
        double Distance((double Y, double X) a, (double Y, double X) b) => Math.Pow(a.Y - b.Y, 2) + Math.Pow(a.X - b.X, 2);
        var first = strongest.MaxBy(p => p.Norm);
        var centers = new List<(double Y, double X)> { (first.Y, first.X) };
        while (centers.Count < count)
        {
            var far = strongest.MaxBy(p => centers.Min(c => Distance(c, (p.Y, p.X))));
            centers.Add((far.Y, far.X));
        }

        int Nearest((double Y, double X) place) => Enumerable.Range(0, count).MinBy(r => Distance(centers[r], place));
        for (var i = 0; i < iterations; i++)
        {
            var groups = strongest.ToLookup(p => Nearest((p.Y, p.X)));
            centers = [.. centers.Select((c, r) => groups[r].Any() ? (groups[r].Average(p => p.Y), groups[r].Average(p => p.X)) : c)];
        }

        var clusters = strongest.ToLookup(p => Nearest((p.Y, p.X)));
        var pooled = Enumerable.Range(0, count).Where(r => clusters[r].Any()).OrderBy(r => centers[r].Y).ThenBy(r => centers[r].X)
            .Select(r => stack(clusters[r].Select(p => p.Pixel), 1))
            .Select(pixels => reduction == BinReduction.Max ? pixels.amax([1]) : pixels.mean([1])).ToList();
        pooled.AddRange(Enumerable.Repeat(zeros_like(first.Pixel), count - pooled.Count));
        return stack(pooled, 1).flatten();
    }
}
