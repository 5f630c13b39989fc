using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

/// <summary>Maps large enough for the form that pools all levels from one reading, beside a loop over pixels.</summary>
public class SpatialPyramidTiesTests
{
    [Theory]
    [InlineData(2, 96, 13, 14, ScalarType.Float32, false, BinRule.Adaptive)]
    [InlineData(2, 96, 13, 14, ScalarType.Float32, true, BinRule.Adaptive)]
    [InlineData(3, 31, 12, 24, ScalarType.Float32, false, BinRule.Adaptive)]
    [InlineData(1, 33, 24, 24, ScalarType.BFloat16, false, BinRule.Adaptive)]
    [InlineData(1, 33, 24, 24, ScalarType.BFloat16, true, BinRule.Adaptive)]
    [InlineData(1, 3, 20, 30, ScalarType.BFloat16, false, BinRule.Adaptive)]   // small enough for a pool per level
    [InlineData(1, 33, 24, 24, ScalarType.Float16, false, BinRule.Adaptive)]
    [InlineData(1, 70, 31, 37, ScalarType.Float64, false, BinRule.Adaptive)]
    [InlineData(17, 1, 31, 37, ScalarType.Float32, false, BinRule.Adaptive)]
    [InlineData(1, 1, 150, 150, ScalarType.Float32, false, BinRule.Adaptive)]
    [InlineData(6000, 1, 1, 3, ScalarType.Float32, false, BinRule.Adaptive)]
    [InlineData(2, 64, 13, 13, ScalarType.Float32, false, BinRule.SppNet)]
    [InlineData(2, 64, 13, 13, ScalarType.BFloat16, true, BinRule.SppNet)]
    public void Over_ties_across_bins_the_first_pixel_of_a_bin_in_row_major_order_takes_the_gradient(
        long n, long c, long h, long w, ScalarType dtype, bool channels_last, BinRule rule)
    {
        using var scope = NewDisposeScope();
        long[] levels = rule == BinRule.Adaptive ? [1, 2, 4, 3, 6, 2] : [1, 2, 3];
        using var generator = new Generator(1);
        var map = randint(-2, 3, [n, c, h, w], generator: generator).to(dtype);   // a few values: every bin has ties
        var weights = randint(1, 4, [n, c * levels.Sum(each => each * each)], generator: generator).to(dtype);
        var (maxima, gradient) = BruteForce(map, weights, levels, rule);
        var x = (channels_last ? map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : map).requires_grad_();
        foreach (var pool in Forms(levels, rule))
        {
            for (var round = 0; round < 3; round++)   // TorchScript is compiled for what it has seen
            {
                x.grad = null;
                var y = pool(x);
                y.backward([weights]);
                Assert.Equal(dtype, y.dtype);
                Tolerance.AssertClose(maxima, y.detach().to(ScalarType.Float64), 0);
                Tolerance.AssertClose(gradient, x.grad!.to(ScalarType.Float64), 0);
                Tolerance.AssertClose(maxima, pool(x.detach()).to(ScalarType.Float64), 0);
            }
        }
    }

    [Theory]
    [InlineData(13, 14)]
    [InlineData(31, 37)]
    public void A_NaN_makes_the_bins_that_hold_it_NaN_with_and_without_a_gradient(long h, long w)
    {
        using var scope = NewDisposeScope();
        var map = Seeded.Normal(1, [2, 64, h, w]);
        map[1, 5, h - 1, 0] = float.NaN;
        map[0, 63, 2, w - 1] = float.PositiveInfinity;
        map[0, 62] = float.NegativeInfinity;
        long[] levels = [4, 2, 1];
        var (maxima, _) = BruteForce(map, zeros(2, 64 * 21), levels, BinRule.Adaptive);
        foreach (var pool in Forms(levels, BinRule.Adaptive))
        {
            Assert.Equal(Numbers(maxima), Numbers(pool(map)));
            Assert.Equal(Numbers(maxima), Numbers(pool(map.detach().requires_grad_())));
        }

        Assert.Equal(3, maxima.isnan().sum().ToInt64());

        static double[] Numbers(Tensor y) => y.detach().to(ScalarType.Float64).data<double>().ToArray();
    }

    [Fact]
    public void A_map_that_is_neither_contiguous_nor_channels_last_is_pooled_as_its_copy()
    {
        using var scope = NewDisposeScope();
        var whole = Seeded.Normal(1, [4, 70, 20, 24]);
        foreach (var x in new[] { whole[.., .., 3..17, 2..20], whole[TensorIndex.Slice(step: 2)], whole.transpose(2, 3), whole.flip(3).transpose(0, 1) })
        {
            Tolerance.AssertClose(pooling.spatial_pyramid_pool2d(x.contiguous(), [1, 2, 4]), pooling.spatial_pyramid_pool2d(x, [1, 2, 4]), 0);
        }
    }

    /// <summary>The function and the exported file.</summary>
    private static IEnumerable<Func<Tensor, Tensor>> Forms(long[] levels, BinRule rule)
    {
        yield return x => pooling.spatial_pyramid_pool2d(x, levels, bins: rule);
        using var folder = new TemporaryFolder();
        torchscript.save(new SpatialPyramidPool2d(levels, bins: rule), folder.File("m.pt"), rand(1, 2, 12, 12));
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        yield return script.call;
    }

    /// <summary>Maxima and the gradient of their weighted sum, pixel by pixel.</summary>
    private static (Tensor Maxima, Tensor Gradient) BruteForce(Tensor x, Tensor weights, long[] levels, BinRule rule)
    {
        var (planes, h, w) = (x.size(0) * x.size(1), x.size(2), x.size(3));
        var values = x.to(ScalarType.Float64).data<double>().ToArray();
        var given = weights.to(ScalarType.Float64).data<double>().ToArray();
        var (maxima, gradient) = (new double[given.Length], new double[values.Length]);
        var (bins, channels) = (levels.Sum(n => n * n), x.size(1));
        for (var plane = 0L; plane < planes; plane++)
        {
            var start = plane / channels * channels * bins;
            foreach (var n in levels)
            {
                for (var bin = 0L; bin < n * n; bin++)
                {
                    var (rows, columns) = (Span(bin / n, h, n), Span(bin % n, w, n));
                    var first = -1L;
                    for (var i = rows.Start; i < rows.End; i++)
                    {
                        for (var j = columns.Start; j < columns.End; j++)
                        {
                            var at = (((plane * h) + i) * w) + j;
                            first = first < 0 || values[at] > values[first] || (double.IsNaN(values[at]) && !double.IsNaN(values[first])) ? at : first;
                        }
                    }

                    var to = start + (plane % channels * n * n) + bin;
                    maxima[to] = values[first];
                    gradient[first] += given[to];
                }

                start += channels * n * n;
            }
        }

        return (tensor(maxima).reshape(weights.shape), tensor(gradient).reshape(x.shape));

        (long Start, long End) Span(long i, long a, long n) => rule == BinRule.Adaptive
            ? (i * a / n, (((i + 1) * a) + n - 1) / n)
            : (i * (a / n), (i * (a / n)) + ((a + n - 1) / n));
    }
}
