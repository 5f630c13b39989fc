using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

public class SpatialPyramidPool2dTests
{
    [Theory]
    [InlineData(BinReduction.Max)]
    [InlineData(BinReduction.Avg)]
    public void Every_size_to_40_and_level_to_8_agrees_with_brute_force(BinReduction reduction)
    {
        using var generator = new Generator(1);
        long[] levels = [1, 2, 3, 4, 5, 6, 7, 8];
        for (var height = 1; height <= 40; height++)
        {
            using var scope = NewDisposeScope();
            var width = 41 - height;   // both sides take every size
            var x = randn([1, 2, height, width], generator: generator, dtype: ScalarType.Float64);
            var actual = pooling.spatial_pyramid_pool2d(x, levels, reduction);
            Tolerance.AssertClose(BruteForce(x, levels, reduction), actual, where: $"{height}×{width}");
        }
    }

    [Fact]
    public void Levels_are_concatenated_in_the_order_given_each_by_channel_then_row_then_column()
    {
        using var scope = NewDisposeScope();
        var x = arange(32, dtype: ScalarType.Float32).reshape(1, 2, 4, 4);
        var y = new SpatialPyramidPool2d([2, 1]).call(x);
        Assert.Equal([5f, 7, 13, 15, 21, 23, 29, 31, 15, 31], y.data<float>().ToArray());
    }

    [Fact]
    public void Average_bins_of_a_ramp_are_known()
    {
        using var scope = NewDisposeScope();
        var x = arange(9, dtype: ScalarType.Float32).reshape(1, 1, 3, 3);
        var y = pooling.spatial_pyramid_pool2d(x, [2], BinReduction.Avg);   // rows and columns {0,1} and {1,2}
        Assert.Equal([2f, 3, 5, 6], y.data<float>().ToArray());
    }

    [Fact]
    public void The_gradient_of_a_tied_maximum_goes_to_the_first_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 2, 3).requires_grad_();
        pooling.spatial_pyramid_pool2d(x, [1]).sum().backward();
        Assert.Equal([1f, 0, 0, 0, 0, 0], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void NaN_propagates()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 4, 4);
        x[0, 0, 3, 3] = float.NaN;
        Assert.Equal([float.NaN, 0, 0, 0, float.NaN], pooling.spatial_pyramid_pool2d(x, [1, 2]).data<float>().ToArray());
    }

    [Fact]
    public void The_paper_rule_gives_n_bins_exactly_where_its_windows_do()
    {
        using var scope = NewDisposeScope();
        for (var size = 1; size <= 40; size++)
        {
            for (var n = 1; n <= 8; n++)
            {
                // Counted, not derived: how many windows of ⌈a/n⌉ fit at stride ⌊a/n⌋.
                var (window, stride) = ((size + n - 1) / n, size / n);
                var fits = stride > 0 && Enumerable.Range(0, size).Count(i => i * stride + window <= size) == n;
                var x = rand(1, 1, size, size);
                if (fits)
                {
                    Assert.Equal(n * n, pooling.spatial_pyramid_pool2d(x, [n], bins: BinRule.SppNet).numel());
                }
                else
                {
                    Assert.Throws<ArgumentException>(() => pooling.spatial_pyramid_pool2d(x, [n], bins: BinRule.SppNet));
                }
            }
        }
    }

    [Theory]
    [InlineData(3, 5)]
    [InlineData(4, 6)]
    [InlineData(4, 7)]
    [InlineData(4, 11)]
    [InlineData(6, 8)]
    [InlineData(6, 10)]   // the paper's own 180-pixel network
    [InlineData(6, 17)]
    [InlineData(6, 29)]
    public void Where_the_paper_rule_breaks_the_error_names_size_level_and_the_way_out(int n, int size)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => new SpatialPyramidPool2d([n], bins: BinRule.SppNet).call(rand(1, 1, size, size)));
        Assert.Contains(
            $"the SPPNet rule (window ⌈a/n⌉, stride ⌊a/n⌋) does not cut a {size}×{size} map into {n}×{n} bins: "
            + "take BinRule.Adaptive, which does for every size, or another input size or level", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_paper_rule_must_hold_for_both_sides()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(9, pooling.spatial_pyramid_pool2d(rand(1, 1, 6, 9), [3], bins: BinRule.SppNet).numel());
        Assert.Throws<ArgumentException>(() => pooling.spatial_pyramid_pool2d(rand(1, 1, 6, 5), [3], bins: BinRule.SppNet));
        Assert.Throws<ArgumentException>(() => pooling.spatial_pyramid_pool2d(rand(1, 1, 5, 6), [3], bins: BinRule.SppNet));
    }

    [Fact]
    public void The_paper_rule_pools_windows_of_its_size()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 13, 13);   // the paper's 224-pixel network: {6, 3, 2, 1} at 13
        var y = pooling.spatial_pyramid_pool2d(x, [6, 3, 2, 1], bins: BinRule.SppNet);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, [3, 3], [2, 2]).flatten(1), y.narrow(1, 0, 3 * 36), 0);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, [5, 5], [4, 4]).flatten(1), y.narrow(1, 3 * 36, 3 * 9), 0);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, [7, 7], [6, 6]).flatten(1), y.narrow(1, 3 * 45, 3 * 4), 0);
        Tolerance.AssertClose(x.amax([2, 3]), y.narrow(1, 3 * 49, 3), 0);
    }

    [Fact]
    public void The_script_form_of_the_paper_rule_refuses_the_same_sizes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new SpatialPyramidPool2d([4], bins: BinRule.SppNet);
        torchscript.save(module, folder.File("m.pt"), rand(1, 1, 8, 8));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Contains("SPPNet rule", Assert.ThrowsAny<Exception>(() => script.call(rand(1, 1, 7, 7))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_output_length_is_independent_of_the_image_size()
    {
        using var scope = NewDisposeScope();
        var module = new SpatialPyramidPool2d([1, 2, 4]);
        Assert.Equal(8 * 21, module.output_length(8));
        Assert.All(new[] { (1, 1), (5, 3), (60, 80) }, size => Assert.Equal(8 * 21, module.call(rand(1, 8, size.Item1, size.Item2)).size(1)));
    }

    [Fact]
    public void Levels_that_are_none_are_refused()
    {
        Assert.Contains("expected one or more levels of at least 1 bin a side, got []", Message([]), StringComparison.Ordinal);
        Assert.Contains("expected one or more levels of at least 1 bin a side, got [2, 0]", Message([2, 0]), StringComparison.Ordinal);
        Assert.Contains("expected Max or Avg", Assert.Throws<ArgumentOutOfRangeException>(() => new SpatialPyramidPool2d(reduction: (BinReduction)7)).Message, StringComparison.Ordinal);
        Assert.Contains("expected Adaptive or SppNet", Assert.Throws<ArgumentOutOfRangeException>(() => new SpatialPyramidPool2d(bins: (BinRule)7)).Message, StringComparison.Ordinal);

        static string Message(long[] levels) => Assert.Throws<ArgumentException>(() => new SpatialPyramidPool2d(levels)).Message;
    }

    [Fact]
    public void The_levels_of_a_module_cannot_be_changed_from_outside()
    {
        using var scope = NewDisposeScope();
        long[] levels = [2];
        var module = new SpatialPyramidPool2d(levels);
        levels[0] = 3;
        Assert.Equal(4, module.call(rand(1, 1, 6, 6)).size(1));
    }

    private static Tensor BruteForce(Tensor x, long[] levels, BinReduction reduction)
    {
        var (channels, height, width) = ((int)x.size(1), (int)x.size(2), (int)x.size(3));
        var values = x.data<double>().ToArray();
        var result = new List<double>();
        foreach (var n in levels)
        {
            for (var c = 0; c < channels; c++)
            {
                for (long bin = 0; bin < n * n; bin++)
                {
                    var (rows, columns) = (Span(bin / n, height, n), Span(bin % n, width, n));
                    var inside = rows.SelectMany(i => columns.Select(j => values[(c * height + i) * width + j])).ToList();
                    result.Add(reduction == BinReduction.Max ? inside.Max() : inside.Sum() / inside.Count);
                }
            }
        }

        return tensor(result.ToArray()).reshape(1, -1);

        static IEnumerable<int> Span(long i, int a, long n)
        {
            var (start, end) = ((int)Math.Floor((double)i * a / n), (int)Math.Ceiling((double)(i + 1) * a / n));
            return Enumerable.Range(start, end - start);
        }
    }
}
