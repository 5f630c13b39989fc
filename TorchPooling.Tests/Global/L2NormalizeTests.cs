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

    [Theory]
    [InlineData(1e13)]
    [InlineData(1e19)]
    [InlineData(1e36)]
    public void Vectors_whose_squares_overflow_have_the_values_and_gradients_of_float64(double size)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new L2Normalize();
        torchscript.save(module, folder.File("m.pt"), rand(2, 3));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        var x = tensor(new[,] { { 3f, 0, -1.5f }, { 0, 2, 1 } }) * size;
        x = cat([x, tensor(new[,] { { 3f, 4, 0 }, { 3e-13f, 4e-13f, 0 }, { 0, 0, 0 } })]);   // beside it a short, a tiny and a zero vector
        var direction = tensor(new[] { 1f, -2, 3 });
        var wide = x.to(ScalarType.Float64).requires_grad_();
        var expected = nn.functional.normalize(wide, dim: 1);
        (expected * direction).sum().backward();
        foreach (var normalize in new[] { module.call, script.call })
        {
            var leaf = x.clone().requires_grad_();
            var y = normalize(leaf);
            (y * direction).sum().backward();
            Tolerance.AssertClose(expected.to(ScalarType.Float32), y);
            var error = (leaf.grad! - wide.grad!).norm(1) / wide.grad!.norm(1);
            Assert.True(error[..4].max().ToDouble() < 1e-6);
            Assert.Equal(0, leaf.grad![4].abs().max().ToDouble());
        }
    }

    [Fact]
    public void The_length_that_a_GPU_takes_has_the_same_inverse_and_gradient()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[,] { { 3f, -4, 0 }, { 3e9f, 4e9f, 1 }, { 1e-3f, 0, 0 }, { 3e-14f, 4e-14f, 0 }, { 0, 0, 0 } });
        var (one, other) = (x.clone().requires_grad_(), x.clone().requires_grad_());
        var (expected, actual) = (pooling.inverse_norm(one, 1), pooling.inverse_length(linalg.vector_norm(other, 2, [1], keepdim: true)));
        Tolerance.AssertClose(expected / expected.clamp_min(1), actual / expected.clamp_min(1));
        (one * expected).square().sum().backward();
        (other * actual).square().sum().backward();
        Tolerance.AssertClose(one.grad!, other.grad!);
        Assert.Equal([0f, 0, 0, 0, 0], [.. actual[4].data<float>(), .. other.grad![4].data<float>(), actual[4].sum().item<float>()]);
        Assert.True(pooling.inverse_length(tensor(float.NaN)).isnan().ToBoolean());
    }

    [Fact]
    public void A_NaN_makes_its_vector_NaN_and_no_other()
    {
        using var scope = NewDisposeScope();
        var y = pooling.l2_normalize(tensor(new[,] { { 3f, float.NaN }, { 3, 4 } }));
        Assert.Equal([float.NaN, float.NaN, 0.6f, 0.8f], y.data<float>().ToArray());
    }

    [Fact]
    public void A_dimension_that_is_not_there_is_refused() =>
        Assert.Contains("expected a dimension of (2, 3)", Assert.Throws<ArgumentOutOfRangeException>(() => pooling.l2_normalize(rand(2, 3), 2)).Message, StringComparison.Ordinal);
}
