using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class SoftPool2dTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 0, Math.Log(3), 0, Math.Log(2) }).reshape(1, 1, 2, 2);
        var expected = ((3 * Math.Log(3)) + (2 * Math.Log(2))) / 7;   // weights 1, 3, 1, 2
        Assert.Equal(expected, new SoftPool2d(2).call(x).ToDouble(), 1e-15);
    }

    [Fact]
    public void It_is_the_formula_with_padding_left_out()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64) * 3;
        var y = pooling.soft_pool2d(x, (3, 2), (2, 2), (1, 1), ceil_mode: true);
        Tolerance.AssertClose(Windows.Pool(x, (3, 2), (2, 2), (1, 1), (1, 1), true, values =>
            values.Sum(v => v * Math.Exp(v)) / values.Sum(Math.Exp)), y);
    }

    [Theory]
    [InlineData(-200)]   // below e⁻²⁰⁰ nothing is left of the weights beside those of the other windows
    [InlineData(-30)]
    [InlineData(3e38)]
    public void Windows_far_from_the_maximum_of_their_channel_keep_their_digits_in_float32(double far)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8);
        x[0, 0, ..4].add_(far);
        x.requires_grad_();
        var exact = x.detach().to(ScalarType.Float64).requires_grad_();
        var (y, expected) = (pooling.soft_pool2d(x, 2), pooling.soft_pool2d(exact, 2));
        Tolerance.AssertClose(
            Windows.Pool(x, (2, 2), (2, 2), (0, 0), (1, 1), false, values => values.Sum(v => v * Math.Exp(v - values.Max())) / values.Sum(v => Math.Exp(v - values.Max()))),
            expected, 1e-12);
        Assert.InRange(((y - expected) / expected.abs().clamp_min(0.01)).abs().max().ToDouble(), 0, 1e-4);
        y.sum().backward();
        expected.sum().backward();
        Assert.InRange((x.grad! - exact.grad!).abs().max().ToDouble(), 0, far > 0 ? 10 : 1e-3);
    }

    [Fact]
    public void Small_values_give_the_mean_and_large_ones_the_maximum()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8, dtype: ScalarType.Float64);
        Tolerance.AssertClose(nn.functional.avg_pool2d(x, 2), pooling.soft_pool2d(x * 1e-7, 2) / 1e-7, 1e-5);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, 2), pooling.soft_pool2d(x * 1e7, 2) / 1e7, 1e-12);
    }
}
