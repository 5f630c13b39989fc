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
    public void Float32_keeps_its_digits_at_small_r_and_on_large_maps()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 5, 4);
        foreach (var r in new[] { 1e-20, 1e-12, 1e-6 })
        {
            Tolerance.AssertClose(x.mean([2, 3], keepdim: true), pooling.log_sum_exp2d(x, r), 1e-5, $"r {r}");
        }

        Tolerance.AssertClose(x, pooling.log_sum_exp2d(x.reshape(-1, 1, 1, 1), 1e-6).reshape(x.shape), 0, "one pixel");

        var peak = zeros(1, 1, 1000, 1000);
        peak[0, 0, 3, 5] = 20f;
        var expected = Math.Log((Math.Exp(20) + 999_999) / 1e6);
        Tolerance.AssertClose(full_like(peak[0, 0, 0, 0], expected).reshape(1, 1, 1, 1), pooling.log_sum_exp2d(peak, 1), 1e-6, "one peak");
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
    public void An_r_out_of_range_is_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var r in new[] { 0, -1, 1e-21, 1e21, double.NaN, double.PositiveInfinity })
        {
            Assert.Contains("expected 1E-20 to 1E+20", Assert.Throws<ArgumentOutOfRangeException>("r", () => new LogSumExp2d(r)).Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentOutOfRangeException>("r", () => pooling.log_sum_exp2d(rand(1, 1, 2, 2), r));
        }
    }
}
