using TorchSharp;
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

    [Fact]
    public void Small_values_give_the_mean_and_large_ones_the_maximum()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8, dtype: ScalarType.Float64);
        Tolerance.AssertClose(nn.functional.avg_pool2d(x, 2), pooling.soft_pool2d(x * 1e-7, 2) / 1e-7, 1e-5);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, 2), pooling.soft_pool2d(x * 1e7, 2) / 1e7, 1e-12);
    }
}
