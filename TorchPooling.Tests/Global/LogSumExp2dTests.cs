using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class LogSumExp2dTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 0, Math.Log(3) }).reshape(1, 1, 1, 2);   // log((1 + 3) / 2)
        Assert.Equal(Math.Log(2), new LogSumExp2d(1).call(x).ToDouble(), 1e-15);
        Assert.Equal(Math.Log(5) / 2, new LogSumExp2d(2).call(x).ToDouble(), 1e-15);   // ½·log((1 + 9) / 2)
    }

    [Fact]
    public void Small_r_gives_the_mean_and_large_r_the_maximum()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 5, 4, dtype: ScalarType.Float64);
        Tolerance.AssertClose(x.mean([2, 3], keepdim: true), pooling.log_sum_exp2d(x, 1e-6), 1e-5);
        Tolerance.AssertClose(x.amax([2, 3], keepdim: true), pooling.log_sum_exp2d(x, 1e6), 1e-5);
    }

    [Fact]
    public void The_gradient_is_the_softmax()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 5, 4, dtype: ScalarType.Float64).requires_grad_();
        new LogSumExp2d().call(x).sum().backward();
        Tolerance.AssertClose((x.detach() * 10).flatten(2).softmax(2).reshape(x.shape), x.grad!);
    }

    [Fact]
    public void An_r_that_is_not_positive_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("expected a positive, finite number", Assert.Throws<ArgumentOutOfRangeException>("r", () => new LogSumExp2d(0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("r", () => pooling.log_sum_exp2d(rand(1, 1, 2, 2), double.NaN));
    }
}
