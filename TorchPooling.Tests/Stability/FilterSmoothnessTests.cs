using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Stability;

public class FilterSmoothnessTests
{
    [Fact]
    public void Constant_filters_and_checkerboards()
    {
        using var scope = NewDisposeScope();
        var constant = full(2, 3, 4, 4, 0.7);
        Assert.Equal(0, stability.total_variation(constant));
        Assert.Equal(double.NaN, stability.total_variation_ratio(constant));
        Assert.Equal(1, stability.low_frequency_share(constant), 1e-12);

        // 4×4: 24 neighbours at 2 over 16 ones; shuffled, 64 of 120 pairs differ by 2.
        var board = Filter(4, 4, (h, w) => (h + w) % 2 == 0 ? 1 : -1);
        Assert.Equal(48 / 16.0, stability.total_variation(board), 1e-12);
        Assert.Equal(48 / (24 * 2 * 64 / 120.0), stability.total_variation_ratio(board), 1e-12);
        Assert.Equal(0, stability.low_frequency_share(board), 1e-12);
        Assert.Equal(1, stability.low_frequency_share(board, 0.5), 1e-12);
        Assert.Equal(0.5, stability.low_frequency_share(cat([board, full(1, 1, 4, 4, 0.2, dtype: ScalarType.Float64), zeros_like(board)])), 1e-12);   // zeros do not count
        Assert.Equal(1 / 81.0, stability.low_frequency_share(Filter(3, 3, (h, w) => (h + w) % 2 == 0 ? 1 : -1)), 1e-12);   // a mean of 1/9
    }

    [Theory]
    [InlineData(1, 0, 0.125)]
    [InlineData(0, 2, 0.25)]
    [InlineData(3, 1, 0.375)]
    [InlineData(1, 4, 0.5)]
    public void A_wave_is_low_from_its_frequency_on(int down, int across, double frequency)
    {
        using var scope = NewDisposeScope();
        var wave = Filter(8, 8, (h, w) => Math.Cos(2 * Math.PI * (down * h + across * w) / 8 + 0.3));
        Assert.Equal(1, stability.low_frequency_share(wave, frequency), 1e-12);
        Assert.Equal(0, stability.low_frequency_share(wave, frequency - 0.01), 1e-12);

        // A constant of the same energy as the wave (mean square 1/2) beside it in one filter: half.
        Assert.Equal(0.5, stability.low_frequency_share(wave * Math.Sqrt(32 / wave.square().sum().ToDouble()) + Math.Sqrt(0.5), frequency - 0.01), 1e-12);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Constants_have_no_variation_whatever_their_rounding(long side)
    {
        using var scope = NewDisposeScope();
        foreach (var filters in new[] { full(2, 9, side, side, 0.3), Seeded.Normal(side, [6, 4, 1, 1], ScalarType.Float64).expand(6, 4, side, side) })
        {
            Assert.Equal(0, stability.total_variation(filters));
            Assert.Equal(double.NaN, stability.total_variation_ratio(filters));
        }
    }

    [Theory]
    [InlineData(10, 3)]
    [InlineData(20, 3)]
    [InlineData(20, 6)]
    public void A_frequency_at_the_limit_is_low_though_its_quotient_rounds(int size, int waves)
    {
        using var scope = NewDisposeScope();
        var wave = Filter(size, size, (h, w) => Math.Cos(2 * Math.PI * waves * w / size));
        Assert.Equal(1, stability.low_frequency_share(wave, (double)waves / size), 1e-12);
        Assert.Equal(1, stability.low_frequency_share(wave, waves * 0.1 / (size / 10)), 1e-12);
        Assert.Equal(0, stability.low_frequency_share(wave, (double)waves / size - 1e-6), 1e-12);
    }

    [Fact]
    public void Of_3_by_3_the_mean_alone_is_low()
    {
        using var scope = NewDisposeScope();
        var w = Seeded.Normal(1, [4, 2, 3, 3], ScalarType.Float64);
        var expected = (w.sum([2, 3]).square() / (9 * w.square().sum([2, 3]))).mean().ToDouble();
        Assert.Equal(expected, stability.low_frequency_share(w), 1e-12);
    }

    [Fact]
    public void The_mean_over_the_shuffles_is_that_of_all_orders()
    {
        using var scope = NewDisposeScope();
        double[] weights = [0.3, -1.2, 0.3, 2.5, 0.9, -0.4];   // 2×3, one value twice
        var total = Orders([.. weights]).Average(order => Variation(order, 2, 3));
        var expected = Variation(weights, 2, 3) / total;
        Assert.Equal(expected, stability.total_variation_ratio(tensor(weights).view(1, 1, 2, 3)), 1e-12);
        Assert.Equal(Variation(weights, 2, 3) / 5.6, stability.total_variation(tensor(weights).view(1, 1, 2, 3)), 1e-12);

        // Of several filters the sums are compared.
        var both = cat([tensor(weights), tensor(weights.Order().ToArray()) * 3]).view(1, 2, 2, 3);
        var sorted = Variation([.. weights.Order()], 2, 3);
        Assert.Equal((Variation(weights, 2, 3) + 3 * sorted) / (4 * total), stability.total_variation_ratio(both), 1e-12);
    }

    [Fact]
    public void White_noise_has_a_ratio_of_1_and_a_smooth_filter_less()
    {
        using var scope = NewDisposeScope();
        const int Sets = 400;
        using var generator = new Generator(9);
        var ratios = Enumerable.Range(0, Sets).Select(_ => stability.total_variation_ratio(randn([4, 2, 5, 5], generator: generator))).ToArray();
        var mean = ratios.Average();
        var error = Math.Sqrt(ratios.Sum(r => (r - mean) * (r - mean)) / (Sets - 1.0) / Sets);
        Assert.InRange(mean, 1 - 5 * error, 1 + 5 * error);   // five standard errors
        Assert.InRange(error, 0, 0.005);

        // For normal weights E|a − b| = √2·E|a|, so TV/‖w‖₁ → √2·12/9 for 3×3 filters; the paper has 1.87 for a cut-off normal.
        Assert.Equal(Math.Sqrt(2) * 12 / 9, stability.total_variation(randn([200, 200, 3, 3], generator: generator)), 0.01);
        Assert.InRange(stability.total_variation_ratio(Filter(5, 5, (h, w) => Math.Exp(-((h - 2) * (h - 2) + (w - 2) * (w - 2)) / 4.0))), 0.3, 0.8);
    }

    [Fact]
    public void Filters_of_one_weight_or_none_of_size_are_NaN()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(double.NaN, stability.total_variation_ratio(rand(3, 2, 1, 1)));
        Assert.Equal(0, stability.total_variation(rand(3, 2, 1, 1)));
        Assert.Equal(1, stability.low_frequency_share(rand(3, 2, 1, 1) + 1));
        Assert.Equal(double.NaN, stability.total_variation(zeros(3, 2, 3, 3)));
        Assert.Equal(double.NaN, stability.low_frequency_share(zeros(3, 2, 3, 3)));
    }

    [Fact]
    public void Parameters_are_read_and_no_tensor_stays()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(3, 4, 3);
        var weight = layer.weight!;
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Assert.InRange(stability.total_variation(weight), 0.5, 4);
        Assert.InRange(stability.total_variation_ratio(weight), 0.5, 2);
        Assert.InRange(stability.low_frequency_share(weight), 0, 1);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        foreach (var measure in new Func<Tensor, double>[] { stability.total_variation, stability.total_variation_ratio, w => stability.low_frequency_share(w) })
        {
            var refusal = Assert.Throws<ArgumentException>("weight", () => measure(zeros(3, 3)));
            Assert.Contains("expected filters (C_out, C_in, kH, kW), got 2 dimensions (3, 3)", refusal.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>("weight", () => measure(zeros(1, 1, 3, 3, dtype: ScalarType.Int32)));
        }

        Assert.Contains("expected 0 to 0.5", Assert.Throws<ArgumentOutOfRangeException>("limit", () => stability.low_frequency_share(zeros(1, 1, 3, 3), 0.6)).Message, StringComparison.Ordinal);
    }

    private static Tensor Filter(int height, int width, Func<int, int, double> weight) =>
        tensor([.. from h in Enumerable.Range(0, height) from w in Enumerable.Range(0, width) select weight(h, w)]).view(1, 1, height, width);

    private static double Variation(IReadOnlyList<double> w, int height, int width)
    {
        double sum = 0;
        for (var i = 0; i < height * width; i++)
        {
            sum += i / width + 1 < height ? Math.Abs(w[i] - w[i + width]) : 0;
            sum += i % width + 1 < width ? Math.Abs(w[i] - w[i + 1]) : 0;
        }

        return sum;
    }

    private static IEnumerable<double[]> Orders(double[] rest) => rest.Length == 0
        ? [[]]
        : Enumerable.Range(0, rest.Length).SelectMany(i => Orders([.. rest[..i], .. rest[(i + 1)..]]).Select(tail => (double[])[rest[i], .. tail]));
}
