using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class LogSumExpPool2dTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 0, Math.Log(3) }).reshape(1, 1, 1, 2);
        Assert.Equal(Math.Log(2), new LogSumExpPool2d((1, 2), r: 1).call(x).ToDouble(), 1e-15);        // log((1 + 3) / 2)
        Assert.Equal(Math.Log(5) / 2, new LogSumExpPool2d((1, 2), r: 2).call(x).ToDouble(), 1e-15);   // ½·log((1 + 9) / 2)
    }

    [Fact]
    public void It_is_the_formula_with_padding_left_out()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(
            Windows.Pool(x, (3, 2), (2, 2), (1, 1), (1, 2), true, values => Math.Log(values.Average(v => Math.Exp(3 * v))) / 3),
            pooling.log_sum_exp_pool2d(x, (3, 2), (2, 2), (1, 1), (1, 2), true, r: 3));
    }

    [Fact]
    public void A_window_as_large_as_the_map_is_LogSumExp2d()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 5, 4, dtype: ScalarType.Float64);
        Tolerance.AssertClose(pooling.log_sum_exp2d(x), pooling.log_sum_exp_pool2d(x, (5, 4)));
        foreach (var r in new[] { 1e-6, 0.1, 10, 1e6 })
        {
            var narrow = x.to(ScalarType.Float32);
            Tolerance.AssertClose(pooling.log_sum_exp2d(narrow, r), pooling.log_sum_exp_pool2d(narrow, (5, 4), r: r), 1e-6, $"float32, r {r}");
        }
    }

    [Fact]
    public void Small_r_gives_the_mean_and_large_r_the_maximum_in_float32_too()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8);
        foreach (var r in new[] { 1e-20, 1e-12, 1e-6 })
        {
            Tolerance.AssertClose(nn.functional.avg_pool2d(x, 2), pooling.log_sum_exp_pool2d(x, 2, r: r), 1e-5, $"r {r}");
        }

        foreach (var r in new[] { 1e6, 1e20 })
        {
            Tolerance.AssertClose(nn.functional.max_pool2d(x, 2), pooling.log_sum_exp_pool2d(x, 2, r: r), 1e-5, $"r {r}");
        }
    }

    [Fact]
    public void The_gradient_is_the_softmax()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 5, 4, dtype: ScalarType.Float64).requires_grad_();
        new LogSumExpPool2d((5, 4), r: 7).call(x).sum().backward();
        Tolerance.AssertClose((x.detach() * 7).flatten(2).softmax(2).reshape(x.shape), x.grad!);
    }

    [Fact]
    public void An_r_out_of_range_is_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var r in new[] { 0, -1, 1e-21, 1e21, double.NaN, double.PositiveInfinity })
        {
            Assert.Contains("expected 1E-20 to 1E+20", Assert.Throws<ArgumentOutOfRangeException>("r", () => new LogSumExpPool2d(2, r: r)).Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentOutOfRangeException>("r", () => pooling.log_sum_exp_pool2d(rand(1, 1, 2, 2), 2, r: r));
        }
    }
}
