using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class L2NormalizeTests
{
    [Fact]
    public void It_equals_the_built_in_function_along_any_dimension()
    {
        using var scope = NewDisposeScope();
        var x = randn(3, 4, 5);
        foreach (var dim in new[] { 0, 1, 2, -1 })
        {
            Tolerance.AssertClose(nn.functional.normalize(x, dim: dim), new L2Normalize(dim).call(x));
        }
    }

    [Fact]
    public void A_zero_vector_stays_zero_and_takes_no_gradient()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3).requires_grad_();
        var y = pooling.l2_normalize(x);
        y.sum().backward();
        Assert.Equal(0, y.abs().max().ToDouble());
        Assert.Equal(0, x.grad!.abs().max().ToDouble());
    }

    [Fact]
    public void Half_precision_neither_overflows_nor_underflows()
    {
        using var scope = NewDisposeScope();
        foreach (var size in new[] { 1e-5, 6e4 })
        {
            var y = pooling.l2_normalize(full(1, 4, size, dtype: ScalarType.Float16));
            Tolerance.AssertClose(full(1, 4, 0.5, dtype: ScalarType.Float16), y);
        }
    }

    [Fact]
    public void A_dimension_that_is_not_there_is_refused() =>
        Assert.Contains("expected a dimension of (2, 3)", Assert.Throws<ArgumentOutOfRangeException>(() => pooling.l2_normalize(rand(2, 3), 2)).Message, StringComparison.Ordinal);
}
