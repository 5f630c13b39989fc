using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class CenterWeightedAvgPool2dTests
{
    public static TheoryData<CenterWeighting> Weightings => new(Enum.GetValues<CenterWeighting>());

    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = arange(1, 10, dtype: ScalarType.Float64).reshape(1, 1, 3, 3).square();   // centre 25, sides 4 + 16 + 36 + 64, corners 1 + 9 + 49 + 81
        Value(CenterWeighting.Gaussian, 1, Math.Exp(-0.5), Math.Exp(-1));
        Value(CenterWeighting.Linear, 3, 1 - (1 / 3.0), 1 - (Math.Sqrt(2) / 3));
        Value(CenterWeighting.InverseDistance, 1, 0.5, 1 / (1 + Math.Sqrt(2)));
        Value(CenterWeighting.Linear, 1.25, 0.2, 1e-6);   // the corners lie outside the cone
        Value(CenterWeighting.Gaussian, 10000, 1, 1, 1e-6);

        void Value(CenterWeighting weighting, double width, double side, double corner, double tolerance = 1e-13)
        {
            var expected = (25 + (120 * side) + (140 * corner)) / (1 + (4 * side) + (4 * corner));
            Assert.Equal(expected, new CenterWeightedAvgPool2d(3, weighting: weighting, width: width).call(x).ToDouble(), tolerance);
        }
    }

    [Fact]
    public void The_centre_of_an_even_window_lies_between_its_pixels_and_dilation_moves_them_apart()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 1, 2, 3, 10 }).reshape(1, 1, 1, 4);   // 1.5, 0.5, 0.5 and 1.5 from the centre
        var (near, far) = (1 - (0.5 / 2), 1 - (1.5 / 2));
        Assert.Equal(((11 * far) + (5 * near)) / (2 * (far + near)), pooling.center_weighted_avg_pool2d(x, (1, 4), weighting: CenterWeighting.Linear, width: 2).ToDouble(), 1e-14);

        x = tensor(new double[] { 1, 7, 2, 7, 3 }).reshape(1, 1, 1, 5);   // 2, 0 and 2 from the centre
        var side = Math.Exp(-2);
        Assert.Equal((2 + (4 * side)) / (1 + (2 * side)), pooling.center_weighted_avg_pool2d(x, (1, 3), width: 1, dilation: 2).ToDouble(), 1e-14);
    }

    [Theory, MemberData(nameof(Weightings))]
    public void It_is_the_formula_over_the_pixels_in_the_map(CenterWeighting weighting)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        const double width = 1.7;
        var expected = Windows.Pool(x, (3, 2), (2, 2), (1, 1), (1, 2), true, (values, places) =>
        {
            var weights = places.Select(place =>
            {
                var d = Math.Sqrt(Math.Pow(place.Row - 1, 2) + Math.Pow(2 * (place.Column - 0.5), 2));
                return weighting switch
                {
                    CenterWeighting.Gaussian => Math.Exp(-d * d / (2 * width * width)),
                    CenterWeighting.Linear => Math.Max(1e-6, 1 - (d / width)),
                    _ => 1 / (1 + (d / width)),
                };
            }).ToList();
            return values.Zip(weights, (value, weight) => value * weight).Sum() / weights.Sum();
        });
        var y = pooling.center_weighted_avg_pool2d(x, (3, 2), (2, 2), (1, 1), (1, 2), true, weighting, width);
        Tolerance.AssertClose(expected, y);
    }

    [Theory, MemberData(nameof(Weightings))]
    public void A_window_that_the_border_leaves_only_far_pixels_of_is_their_average(CenterWeighting weighting)
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }).reshape(1, 1, 1, 8).requires_grad_();
        var y = pooling.center_weighted_avg_pool2d(x, (1, 7), ceil_mode: true, weighting: weighting, width: 0.11);   // 8 alone, 3 from the centre
        Assert.Equal(8, y[0, 0, 0, 1].ToDouble(), 1e-6);
        y.sum().backward();
        Assert.Equal(1, x.grad![0, 0, 0, 7].ToDouble(), 1e-6);
    }

    [Theory, MemberData(nameof(Weightings))]
    public void A_map_of_one_value_stays_that_and_a_large_width_averages(CenterWeighting weighting)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 9, 9, dtype: ScalarType.Float64);
        Tolerance.AssertClose(
            full([2, 3, 5, 5], 3.5, dtype: ScalarType.Float64), pooling.center_weighted_avg_pool2d(full_like(x, 3.5), 3, 2, 1, weighting: weighting, width: 0.4));
        Tolerance.AssertClose(nn.functional.avg_pool2d(x, 3), pooling.center_weighted_avg_pool2d(x, 3, weighting: weighting, width: 10000), 1e-3);
    }

    [Theory, MemberData(nameof(Weightings))]
    public void Without_a_width_it_is_1_and_for_linear_weights_one_more_than_the_farthest_pixel(CenterWeighting weighting)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 9, dtype: ScalarType.Float64);
        foreach (var (height, width, dilation) in new[] { (1, 1, 1), (3, 3, 1), (2, 4, 1), (3, 5, 2) })
        {
            var farthest = dilation * Math.Sqrt(Math.Pow((height - 1) / 2.0, 2) + Math.Pow((width - 1) / 2.0, 2));
            var expected = pooling.center_weighted_avg_pool2d(
                x, (height, width), dilation: dilation, weighting: weighting, width: weighting == CenterWeighting.Linear ? farthest + 1 : 1);
            Tolerance.AssertClose(expected, pooling.center_weighted_avg_pool2d(x, (height, width), dilation: dilation, weighting: weighting));
            Tolerance.AssertClose(expected, new CenterWeightedAvgPool2d((height, width), dilation: dilation, weighting: weighting).call(x));
            var learned = new CenterWeightedAvgPool2d((height, width), dilation: dilation, weighting: weighting, learn_width: true, dtype: ScalarType.Float64);
            Tolerance.AssertClose(expected, learned.call(x));
        }
    }

    [Theory, MemberData(nameof(Weightings))]
    public void The_learned_width_starts_as_given_and_no_step_of_training_breaks_it(CenterWeighting weighting)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 9, 9);
        foreach (var width in new[] { 1.4143, 2, 30, 10000 })
        {
            Tolerance.AssertClose(
                new CenterWeightedAvgPool2d(3, padding: 1, weighting: weighting, width: width).call(x),
                new CenterWeightedAvgPool2d(3, padding: 1, weighting: weighting, width: width, learn_width: true).call(x), 1e-5);
        }

        var pool = new CenterWeightedAvgPool2d((3, 4), padding: (1, 2), ceil_mode: true, weighting: weighting, width: 3, learn_width: true);
        Assert.Equal(["raw_width"], pool.state_dict().Keys);
        foreach (var raw in new[] { -1e30, -200, 0, 200, 1e30 })
        {
            using (no_grad())
            {
                pool.state_dict()["raw_width"].fill_(raw);
            }

            var y = pool.call(x);
            pool.zero_grad();
            y.square().sum().backward();
            Assert.True(y.isfinite().all().ToBoolean(), $"raw {raw}");
            Assert.True(pool.parameters().Single().grad!.isfinite().all().ToBoolean(), $"gradient at raw {raw}");
        }
    }

    [Theory, MemberData(nameof(Weightings))]
    public void The_learned_width_follows_its_gradient(CenterWeighting weighting)
    {
        using var scope = NewDisposeScope();
        var pool = new CenterWeightedAvgPool2d(3, weighting: weighting, width: 1.5, learn_width: true);
        var x = Seeded.Normal(3, [2, 3, 9, 9]);
        var optimizer = optim.Adam(pool.parameters(), 0.03);
        double Loss() => (pool.call(x) - pooling.center_weighted_avg_pool2d(x, 3, weighting: weighting, width: 2.5)).square().sum().ToDouble();
        var before = Loss();
        for (var step = 0; step < 400; step++)
        {
            optimizer.zero_grad();
            (pool.call(x) - pooling.center_weighted_avg_pool2d(x, 3, weighting: weighting, width: 2.5)).square().sum().backward();
            optimizer.step();
        }

        Assert.True(Loss() < 1e-3 * before, $"from {before:G3} to {Loss():G3}");
    }

    [Fact]
    public void Settings_that_are_none_are_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var width in new[] { double.NaN, -1, 0, 0.1, 10001, double.PositiveInfinity })
        {
            Assert.Contains("expected a number above 0.1 and at most 10000", Assert.Throws<ArgumentOutOfRangeException>("width", () => new CenterWeightedAvgPool2d(3, width: width)).Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentOutOfRangeException>("width", () => pooling.center_weighted_avg_pool2d(rand(1, 1, 3, 3), 3, width: width));
        }

        Assert.Contains("expected a number above 1.414 and at most 10000", Assert.Throws<ArgumentOutOfRangeException>("width", () => new CenterWeightedAvgPool2d(3, weighting: CenterWeighting.Linear, width: 1.4, learn_width: true)).Message, StringComparison.Ordinal);
        Assert.Contains("expected Gaussian, Linear, InverseDistance", Assert.Throws<ArgumentOutOfRangeException>("weighting", () => new CenterWeightedAvgPool2d(3, weighting: (CenterWeighting)3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("dtype", () => new CenterWeightedAvgPool2d(3, learn_width: true, dtype: ScalarType.Bool));
        Assert.Throws<ArgumentException>(() => new CenterWeightedAvgPool2d(int.MaxValue).call(rand(1, 1, 3, 3)));
    }
}
