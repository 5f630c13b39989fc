using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

public class LearnedRegionPool2dTests
{
    [Fact]
    public void At_first_every_region_is_the_mean_of_the_map_whatever_its_size()
    {
        using var scope = NewDisposeScope();
        var layer = new LearnedRegionPool2d(3, 4, 5);
        foreach (var (h, w) in new[] { (4, 5), (1, 1), (9, 2), (12, 15) })
        {
            var x = randn(2, 6, h, w);
            var mean = x.mean([2, 3]).unsqueeze(2).expand(2, 6, 3).flatten(1);
            Tolerance.AssertClose(mean, layer.call(x));
        }

        Assert.Equal(18, layer.output_length(6));
    }

    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.0, 2, 3, 4, 10, 20, 30, 40 }).reshape(1, 2, 2, 2);
        var weight = tensor(new[] { 0, Math.Log(3), 0, 0, 0, 0, 0, 1000 }).reshape(2, 2, 2);   // weights 1, 3, 1, 1 of 6; the last pixel
        Tolerance.AssertClose(tensor(new[] { 14.0 / 6, 4, 140.0 / 6, 40 }).reshape(1, 4), pooling.learned_region_pool2d(x, weight));
    }

    [Fact]
    public void It_is_the_weighted_sum_over_positions()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (randn(2, 3, 4, 5, dtype: ScalarType.Float64), randn(6, 4, 5, dtype: ScalarType.Float64));
        var expected = zeros(2, 18, dtype: ScalarType.Float64);
        for (var r = 0; r < 6; r++)
        {
            var m = weight[r].exp() / weight[r].exp().sum();
            for (var c = 0; c < 3; c++)
            {
                expected[.., (c * 6) + r] = (m * x.select(1, c)).sum([1, 2]);
            }
        }

        Tolerance.AssertClose(expected, pooling.learned_region_pool2d(x, weight));
    }

    [Fact]
    public void A_map_of_another_size_is_read_through_resized_regions_of_the_same_place()
    {
        using var scope = NewDisposeScope();
        var weight = full([4, 2, 2], -50.0).to(ScalarType.Float64);
        for (var corner = 0; corner < 4; corner++)
        {
            weight[corner, corner / 2, corner % 2] = 50;   // a corner for each region
        }

        var x = zeros(1, 1, 12, 12, dtype: ScalarType.Float64);
        x[0, 0, ..6, 6..] = 1;
        var y = pooling.learned_region_pool2d(x, weight);
        Tolerance.AssertClose(tensor(new[] { 0.0, 1, 0, 0 }).reshape(1, 4), y, 1e-6);

        var resized = nn.functional.interpolate(weight.unsqueeze(0), [5, 7], mode: InterpolationMode.Bilinear, align_corners: false)[0];
        var map = randn(2, 3, 5, 7, dtype: ScalarType.Float64);
        Tolerance.AssertClose(pooling.learned_region_pool2d(map, resized), pooling.learned_region_pool2d(map, weight));
    }

    [Fact]
    public void Training_parts_the_regions_and_finds_where_the_classes_are()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [64, 1, 8, 8]);
        var labels = arange(64) % 4;
        foreach (var i in Enumerable.Range(0, 64))   // the class is the corner that holds the blob
        {
            var (top, left) = (i % 4 / 2 * 5, i % 2 * 5);
            x[i, 0, top..(top + 3), left..(left + 3)] += 1;
        }

        var pool = new LearnedRegionPool2d(4, 8, 8);
        var reader = nn.Linear(4, 4);
        var network = nn.Sequential(pool, reader);
        Seeded.Start(reader, 1);
        var optimizer = optim.Adam(network.parameters(), 0.1);
        for (var step = 0; step < 150; step++)
        {
            using var pass = NewDisposeScope();
            optimizer.zero_grad();
            nn.functional.cross_entropy(network.call(x), labels).backward();
            optimizer.step();
        }

        Assert.Equal(1, (network.call(x).argmax(1) == labels).to(ScalarType.Float32).mean().ToSingle());
        var maps = pool.state_dict()["weight"].flatten(1).softmax(1);
        var likeness = maps.matmul(maps.t()) / (maps.norm(1, true) * maps.norm(1, true).t());
        Assert.InRange((likeness - eye(4)).max().ToSingle(), 0, 0.5);   // cosines of different regions; 1 at the start
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected 1 to 2147483647", () => new LearnedRegionPool2d(0, 1, 1));
        Refused("expected 1 to 2147483647", () => new LearnedRegionPool2d(1, long.MaxValue, 1));
        Refused("expected what fits into", () => new LearnedRegionPool2d(2, int.MaxValue, 1));
        Refused("expected a floating-point dtype, got Bool", () => new LearnedRegionPool2d(1, 1, 1, dtype: ScalarType.Bool));
        Refused("expected regions (R, h, w), got 2 dimensions (3, 4)", () => pooling.learned_region_pool2d(rand(1, 1, 2, 2), rand(3, 4)));
        Refused("expected regions (R, h, w), got 3 dimensions (3, 0, 4)", () => pooling.learned_region_pool2d(rand(1, 1, 2, 2), rand(3, 0, 4)));
        Refused("expected a floating-point tensor, got Int64 (1, 2, 2)", () => pooling.learned_region_pool2d(rand(1, 1, 2, 2), ones(1, 2, 2, dtype: ScalarType.Int64)));

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
