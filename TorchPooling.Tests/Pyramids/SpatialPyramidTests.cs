using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

/// <summary>The pyramids of one and of three dimensions, and what all three share.</summary>
public class SpatialPyramidTests
{
    [Theory]
    [InlineData(BinReduction.Max)]
    [InlineData(BinReduction.Avg)]
    public void Every_length_to_40_and_level_to_8_agrees_with_brute_force(BinReduction reduction)
    {
        long[] levels = [1, 2, 3, 4, 5, 6, 7, 8];
        for (var length = 1; length <= 40; length++)
        {
            using var scope = NewDisposeScope();
            var x = Seeded.Normal(length, [1, 2, length], ScalarType.Float64);
            Tolerance.AssertClose(BruteForce(x, levels, reduction), pooling.spatial_pyramid_pool1d(x, levels, reduction), where: $"{length}");
        }
    }

    [Theory]
    [InlineData(BinReduction.Max)]
    [InlineData(BinReduction.Avg)]
    public void Volumes_with_sides_to_12_agree_with_brute_force(BinReduction reduction)
    {
        long[] levels = [1, 2, 3, 5];
        for (var side = 1; side <= 12; side++)
        {
            using var scope = NewDisposeScope();
            var x = Seeded.Normal(side, [1, 2, side, 13 - side, 1 + (side * 5 % 12)], ScalarType.Float64);   // every side takes every size
            var actual = pooling.spatial_pyramid_pool3d(x, levels, reduction);
            Tolerance.AssertClose(BruteForce(x, levels, reduction), actual, where: string.Join('×', x.shape[2..]));
        }
    }

    [Fact]
    public void Levels_are_concatenated_in_the_order_given_each_by_channel_then_position()
    {
        using var scope = NewDisposeScope();
        var sequence = arange(8, dtype: ScalarType.Float32).reshape(1, 2, 4);
        Assert.Equal([1f, 3, 5, 7, 3, 7], new SpatialPyramidPool1d([2, 1]).call(sequence).data<float>().ToArray());

        var volume = arange(16, dtype: ScalarType.Float32).reshape(1, 2, 2, 2, 2);
        var expected = Enumerable.Range(0, 16).Select(i => (float)i).Concat([7, 15]);
        Assert.Equal(expected, new SpatialPyramidPool3d([2, 1]).call(volume).data<float>().ToArray());
    }

    [Fact]
    public void Average_bins_of_a_ramp_are_known()
    {
        using var scope = NewDisposeScope();
        var ramp = arange(27, dtype: ScalarType.Float32);
        Assert.Equal([1f, 3], pooling.spatial_pyramid_pool1d(ramp[..5].reshape(1, 1, 5), [2], BinReduction.Avg).data<float>().ToArray());   // {0,1,2} and {2,3,4}

        // Every side is cut into {0,1} and {1,2}: steps of 9, 3 and 1 from the mean of 0, 1, 3, 4, 9, 10, 12, 13.
        var volume = pooling.spatial_pyramid_pool3d(ramp.reshape(1, 1, 3, 3, 3), [2], BinReduction.Avg);
        Assert.Equal([6.5f, 7.5f, 9.5f, 10.5f, 15.5f, 16.5f, 18.5f, 19.5f], volume.data<float>().ToArray());
    }

    [Theory]
    [InlineData(BinReduction.Max)]
    [InlineData(BinReduction.Avg)]
    public void A_volume_of_equal_slices_has_the_bins_of_a_slice(BinReduction reduction)
    {
        using var scope = NewDisposeScope();
        var map = Seeded.Normal(1, [2, 3, 7, 5], ScalarType.Float64);
        foreach (var n in new long[] { 1, 2, 3 })
        {
            var slice = pooling.spatial_pyramid_pool2d(map, [n], reduction).reshape(2, 3, 1, n, n);
            var volume = pooling.spatial_pyramid_pool3d(map.unsqueeze(2).expand(2, 3, 4, 7, 5), [n], reduction);
            Tolerance.AssertClose(slice.expand(2, 3, n, n, n).flatten(1), volume);
        }
    }

    [Fact]
    public void The_gradient_of_a_tied_maximum_goes_to_the_first_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([1f, 0, 0, 1, 0, 0], Gradient(zeros(1, 1, 6), x => pooling.spatial_pyramid_pool1d(x, [2])));
        var volume = zeros([1, 1, 2, 2, 3]);
        volume[0, 0, 0, 1, 2] = 1;
        volume[0, 0, 1, 0, 0] = 1;
        var first = new float[12];
        first[5] = 1;   // (0, 1, 2) stands before (1, 0, 0), though in a later row and column
        Assert.Equal(first, Gradient(volume, x => pooling.spatial_pyramid_pool3d(x, [1])));

        static float[] Gradient(Tensor x, Func<Tensor, Tensor> pool)
        {
            pool(x.requires_grad_()).sum().backward();
            return x.grad!.data<float>().ToArray();
        }
    }

    [Fact]
    public void NaN_propagates()
    {
        using var scope = NewDisposeScope();
        var sequence = zeros(1, 1, 4);
        sequence[0, 0, 3] = float.NaN;
        Assert.Equal([float.NaN, 0, float.NaN], pooling.spatial_pyramid_pool1d(sequence, [1, 2]).data<float>().ToArray());
        var volume = zeros([1, 1, 4, 2, 2]);
        volume[0, 0, 3, 1, 1] = float.NaN;
        Assert.Equal([float.NaN, 0, 0, 0, 0, 0, 0, 0, float.NaN], pooling.spatial_pyramid_pool3d(volume, [1, 2]).data<float>().ToArray());
    }

    [Fact]
    public void The_paper_rule_pools_windows_of_its_size()
    {
        using var scope = NewDisposeScope();
        var sequence = Seeded.Normal(1, [2, 3, 13]);
        foreach (var (reduction, pool) in new (BinReduction, Func<Tensor, long, long, Tensor>)[]
        {
            (BinReduction.Max, (x, k, s) => nn.functional.max_pool1d(x, k, s)),
            (BinReduction.Avg, (x, k, s) => nn.functional.avg_pool1d(x, k, s)),
        })
        {
            var y = pooling.spatial_pyramid_pool1d(sequence, [6, 3], reduction, BinRule.SppNet);
            Tolerance.AssertClose(cat([pool(sequence, 3, 2).flatten(1), pool(sequence, 5, 4).flatten(1)], 1), y, 0);
        }

        var volume = Seeded.Normal(2, [2, 3, 5, 7, 6]);
        var maxima = pooling.spatial_pyramid_pool3d(volume, [2], bins: BinRule.SppNet);
        var means = pooling.spatial_pyramid_pool3d(volume, [2], BinReduction.Avg, BinRule.SppNet);
        Tolerance.AssertClose(nn.functional.max_pool3d(volume, [3, 4, 3], [2, 3, 3]).flatten(1), maxima, 0);
        Tolerance.AssertClose(nn.functional.avg_pool3d(volume, [3, 4, 3], [2, 3, 3]).flatten(1), means, 0);
    }

    [Fact]
    public void Where_the_paper_rule_breaks_the_error_names_size_level_and_the_way_out()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("does not cut a sequence of 5 into 3 bins: take BinRule.Adaptive", Message(
            () => pooling.spatial_pyramid_pool1d(rand(1, 1, 5), [3], bins: BinRule.SppNet)), StringComparison.Ordinal);
        Assert.Contains("does not cut a 2×4×2 map into 3×3×3 bins: take BinRule.Adaptive", Message(
            () => pooling.spatial_pyramid_pool3d(rand([1, 1, 2, 4, 2]), [3], bins: BinRule.SppNet)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_output_length_is_independent_of_the_input_s_size()
    {
        using var scope = NewDisposeScope();
        var (line, space) = (new SpatialPyramidPool1d([1, 2, 4]), new SpatialPyramidPool3d([1, 2, 4]));
        Assert.Equal(8 * 7, line.output_length(8));
        Assert.Equal(8 * 73, space.output_length(8));
        Assert.All(new long[] { 1, 5, 60 }, length => Assert.Equal(8 * 7, line.call(rand(1, 8, length)).size(1)));
        Assert.All(new long[] { 1, 5, 9 }, side => Assert.Equal(8 * 73, space.call(rand([1, 8, side, 3, 2])).size(1)));
    }

    [Fact]
    public void What_has_another_shape_or_dtype_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected a sequence (N, C, L), got 2 dimensions (3, 4)", new SpatialPyramidPool1d(), rand(3, 4));
        Refused("expected a sequence (N, C, L), got 4 dimensions (1, 2, 3, 4)", new SpatialPyramidPool1d(), rand(1, 2, 3, 4));
        Refused("expected a sequence (N, C, L) with C, L ≥ 1, got (1, 2, 0)", new SpatialPyramidPool1d(), rand(1, 2, 0));
        Refused("expected a volume (N, C, D, H, W), got 4 dimensions (1, 2, 3, 4)", new SpatialPyramidPool3d(), rand(1, 2, 3, 4));
        Refused("expected a volume (N, C, D, H, W) with C, D, H, W ≥ 1, got (1, 2, 0, 3, 4)", new SpatialPyramidPool3d(), rand([1, 2, 0, 3, 4]));
        Refused("expected a floating-point tensor, got Int64 (1, 2, 3)", new SpatialPyramidPool1d(), ones([1, 2, 3], ScalarType.Int64));
        Refused("expected a floating-point tensor, got Bool (1, 1, 2, 2, 2)", new SpatialPyramidPool3d(), ones([1, 1, 2, 2, 2], ScalarType.Bool));

        static void Refused(string message, nn.Module<Tensor, Tensor> pool, Tensor x) =>
            Assert.Contains(message, Message(() => pool.call(x)), StringComparison.Ordinal);
    }

    [Fact]
    public void Levels_that_are_none_or_would_fill_the_memory_are_refused()
    {
        Refused("expected one or more levels of at least 1 bin a side, got []", () => new SpatialPyramidPool1d([]));
        Refused("expected one or more levels of at least 1 bin a side, got [2, -1]", () => new SpatialPyramidPool3d([2, -1]));
        const string limit = "expected levels of not more than 16777216 bins together, got ";
        Refused(limit + "[1, 16777216]", () => new SpatialPyramidPool1d([1, 1 << 24]));
        Refused(limit + "[9223372036854775807]", () => new SpatialPyramidPool1d([long.MaxValue]));
        Refused(limit + "[4097]", () => new SpatialPyramidPool2d([4097]));
        Refused(limit + "[2147483647]", () => new SpatialPyramidPool2d([int.MaxValue]));
        Refused(limit + "[257]", () => new SpatialPyramidPool3d([257]));
        Refused(limit + "[9223372036854775807, 9223372036854775807]", () => new SpatialPyramidPool3d([long.MaxValue, long.MaxValue]));
        Assert.Equal(1 << 24, new SpatialPyramidPool3d([256]).output_length(1));
        Assert.Contains("expected Max or Avg", Assert.Throws<ArgumentOutOfRangeException>(() => new SpatialPyramidPool1d(reduction: (BinReduction)7)).Message, StringComparison.Ordinal);
        Assert.Contains("expected Adaptive or SppNet", Assert.Throws<ArgumentOutOfRangeException>(() => new SpatialPyramidPool3d(bins: (BinRule)7)).Message, StringComparison.Ordinal);

        static void Refused(string message, Func<object> make) => Assert.Contains(message, Message(make), StringComparison.Ordinal);
    }

    private static string Message(Func<object> call) => Assert.Throws<ArgumentException>(call).Message;

    /// <summary>A loop over levels, channels and bins, for any number of sides.</summary>
    private static Tensor BruteForce(Tensor x, long[] levels, BinReduction reduction)
    {
        var (values, result) = (x.data<double>().ToArray(), new List<double>());
        var sides = x.shape[2..];
        foreach (var n in levels)
        {
            for (var c = 0L; c < x.size(1); c++)
            {
                foreach (var bin in Positions([.. sides.Select(_ => (0L, n))]))
                {
                    var spans = sides.Select((a, d) => (bin[d] * a / n, (((bin[d] + 1) * a) + n - 1) / n)).ToArray();
                    var inside = Positions(spans).Select(p => values[p.Select((i, d) => (i, d)).Aggregate(c, (at, s) => (at * sides[s.d]) + s.i)]).ToList();
                    result.Add(reduction == BinReduction.Max ? inside.Max() : inside.Sum() / inside.Count);
                }
            }
        }

        return tensor(result.ToArray()).reshape(1, -1);
    }

    /// <summary>All positions of a box, in row-major order; each span from its start to before its end.</summary>
    private static IEnumerable<long[]> Positions((long Start, long End)[] spans) => spans.Length == 0
        ? [[]]
        : from rest in Positions(spans[..^1])
          from i in Enumerable.Range((int)spans[^1].Start, (int)(spans[^1].End - spans[^1].Start))
          select (long[])[.. rest, i];

    [Theory]
    [InlineData(12, 16, BinRule.Adaptive)]
    [InlineData(12, 16, BinRule.SppNet)]
    [InlineData(13, 16, BinRule.Adaptive)]
    public void Means_of_levels_that_nest_are_those_of_each_level_alone(long h, long w, BinRule bins)
    {
        using var scope = NewDisposeScope();
        var map = Seeded.Normal(1, [2, 3, h, w]).to(ScalarType.Float64);
        map[0, 1, 2, 3] = double.NaN;
        map[1, 1, 2, 3] = double.PositiveInfinity;
        long[] levels = [2, 4, 1];
        var (ours, alone) = (map.detach().requires_grad_(), map.detach().requires_grad_());
        var y = pooling.spatial_pyramid_pool2d(ours, levels, BinReduction.Avg, bins);
        var expected = cat([.. levels.Select(n => nn.functional.adaptive_avg_pool2d(alone, [n, n]).flatten(1))], 1);
        Assert.True(y.allclose(expected, rtol: 1e-12, atol: 1e-12, equal_nan: true));
        var weights = Seeded.Normal(2, y.shape).to(ScalarType.Float64);
        y.backward([weights]);
        expected.backward([weights]);
        Tolerance.AssertClose(alone.grad!, ours.grad!);
    }
}
