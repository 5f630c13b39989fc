using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class GeM2dTests
{
    [Fact]
    public void With_p_1_it_is_the_mean_and_with_large_p_the_maximum()
    {
        using var scope = NewDisposeScope();
        var x = rand(2, 3, 5, 4, dtype: ScalarType.Float64) + 0.1;
        Tolerance.AssertClose(x.mean([2, 3], keepdim: true), new GeM2d(1, dtype: ScalarType.Float64).call(x));
        Tolerance.AssertClose(x.amax([2, 3], keepdim: true), new GeM2d(2000, dtype: ScalarType.Float64).call(x), 0.01);
    }

    [Fact]
    public void A_known_mean_of_cubes()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2, 3, 4 }).reshape(1, 1, 2, 2);   // (1 + 8 + 27 + 64) / 4 = 25
        Assert.Equal(Math.Cbrt(25), new GeM2d().call(x).ToDouble(), 1e-6);
    }

    [Fact]
    public void The_exponent_is_learned_under_the_name_p()
    {
        using var scope = NewDisposeScope();
        var module = new GeM2d();
        module.call(rand(1, 2, 3, 3)).sum().backward();
        Assert.Equal(["p"], module.state_dict().Keys);
        Assert.NotEqual(0, module.parameters().Single().grad!.ToDouble());
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Half_precision_gives_back_a_constant_map(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new GeM2d(dtype: dtype);
        var x = full(1, 1, 2, 2, 1000, dtype: dtype);
        torchscript.save(module, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Equal(1000, module.call(x).to(ScalarType.Float64).ToDouble());
        Assert.Equal(1000, script.call(x).to(ScalarType.Float64).ToDouble());
    }

    [Fact]
    public void One_exponent_a_channel()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 1, 3, 1, 3 }).reshape(1, 2, 1, 2);
        var y = pooling.gem2d(x, tensor(new double[] { 1, 2 }).reshape(2, 1, 1));
        Tolerance.AssertClose(tensor(new[] { 2, Math.Sqrt(5) }).reshape(1, 2, 1, 1), y);
    }

    [Fact]
    public void The_exponents_of_the_channels_are_learned_each_for_itself()
    {
        using var scope = NewDisposeScope();
        var module = new GeM2d(2, num_channels: 3);
        Assert.Equal([3, 1, 1], module.state_dict()["p"].shape);
        var x = rand(2, 3, 4, 4) + 0.1;
        Tolerance.AssertClose(new GeM2d(2).call(x), module.call(x));
        module.call(x)[.., 1].sum().backward();
        var gradient = module.parameters().Single().grad!.flatten().data<float>().ToArray();
        Assert.Equal([true, false, true], gradient.Select(value => value == 0));
    }

    [Fact]
    public void A_map_of_other_channels_is_refused_by_the_script_too()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new GeM2d(num_channels: 3);
        Assert.Contains("expected 3 channels, got a feature map (1, 1, 2, 2) with 1", Assert.Throws<ArgumentException>(() => module.call(rand(1, 1, 2, 2))).Message, StringComparison.Ordinal);
        torchscript.save(module, folder.File("m.pt"), rand(1, 3, 2, 2));
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Contains("one channel for each exponent", Assert.ThrowsAny<Exception>(() => script.call(rand(1, 1, 2, 2))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1e-3, 3)]
    [InlineData(1, 0.7)]
    [InlineData(1e6, 12)]
    [InlineData(1e12, 9.5)]
    public void Float32_has_the_value_and_the_gradients_of_the_definition_in_float64(double size, double p)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(31);
        var values = rand([2, 3, 5, 4], generator: generator) * size;
        var module = new GeM2d(p);
        var x = values.clone().requires_grad_();
        var y = module.call(x);
        y.sum().backward();

        var wide = values.to(ScalarType.Float64).requires_grad_();
        var exponent = tensor(new double[] { (float)p }, requires_grad: true);
        var expected = wide.clamp_min(1e-6).pow(exponent).mean([2, 3], keepdim: true).pow(exponent.reciprocal());
        expected.sum().backward();
        Near(expected, y);
        Near(wide.grad!, x.grad!);
        Near(exponent.grad!, module.parameters().Single().grad!);

        static void Near(Tensor definition, Tensor actual) =>
            Assert.True(((actual - definition).norm() / definition.norm()).ToDouble() < 1e-5);
    }

    [Fact]
    public void Huge_values_and_huge_exponents_stay_finite_and_a_zero_map_gives_eps()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 3, 3) + 0.5;
        Tolerance.AssertClose(new GeM2d().call(x), new GeM2d().call(x * 1e30) / 1e30);
        Tolerance.AssertClose(x.amax([2, 3], keepdim: true), new GeM2d(1e6).call(x), 1e-5);
        Tolerance.AssertClose(full(1, 1, 1, 1, 1e-6), new GeM2d(50).call(zeros(1, 1, 2, 2)), 1e-12);
    }

    [Fact]
    public void An_exponent_of_another_shape_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 3, 5);
        Assert.Contains("expected the shape (1), got 1 dimensions (5)", Assert.Throws<ArgumentException>(() => pooling.gem2d(x, ones(5))).Message, StringComparison.Ordinal);
        Assert.Contains("expected 3 channels, got a feature map (1, 2, 3, 5) with 2", Assert.Throws<ArgumentException>(() => pooling.gem2d(x, ones(3, 1, 1))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>("p", () => pooling.gem2d(x, null!));
        Assert.Throws<ArgumentOutOfRangeException>("eps", () => pooling.gem2d(x, ones(1), 0));
    }

    [Fact]
    public void An_exponent_or_floor_that_is_not_positive_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("p", () => new GeM2d(0));
        Assert.Throws<ArgumentOutOfRangeException>("p", () => new GeM2d(double.PositiveInfinity));
        Assert.Contains("expected a floating-point dtype, got Int64", Assert.Throws<ArgumentException>(() => new GeM2d(dtype: ScalarType.Int64)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("eps", () => new GeM2d(3, -1));
        Assert.Throws<ArgumentOutOfRangeException>("num_channels", () => new GeM2d(num_channels: 0));
    }
}
