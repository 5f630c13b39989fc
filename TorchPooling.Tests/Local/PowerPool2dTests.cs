using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class PowerPool2dTests
{
    private static readonly (long, long) Kernel = (3, 2), Stride = (2, 2), Padding = (1, 1), Dilation = (1, 2);

    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 3, -4, 0, 12 }).reshape(1, 1, 2, 2);
        Assert.Equal(13, new PowerPool2d(2).call(x).ToDouble(), 1e-14);
        Assert.Equal(6.5, new PowerPool2d(2, mean: true).call(x).ToDouble(), 1e-14);
        Assert.Equal(19, new PowerPool2d(2, p: 1).call(x).ToDouble(), 1e-14);
        Assert.Equal(9, pooling.power_pool2d(tensor(new double[] { 1, 0, 0, -4 }).reshape(1, 1, 2, 2), 2, p: 0.5).ToDouble(), 1e-14);   // (1 + 2)²
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3.7)]
    public void It_is_the_formula_with_padding_left_out(double p)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(
            Windows.Pool(x, Kernel, Stride, Padding, Dilation, true, v => Math.Pow(v.Sum(a => Math.Pow(Math.Abs(a), p)), 1 / p)),
            pooling.power_pool2d(x, (3, 2), (2, 2), (1, 1), (1, 2), true, p), 1e-11);
        Tolerance.AssertClose(
            Windows.Pool(x, Kernel, Stride, Padding, Dilation, true, v => Math.Pow(v.Average(a => Math.Pow(Math.Abs(a), p)), 1 / p)),
            pooling.power_pool2d(x, (3, 2), (2, 2), (1, 1), (1, 2), true, p, mean: true), 1e-11);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_squares_in_float64_that_a_GPU_takes_give_the_same(bool mean)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6);
        x[0, 0] *= 1e-30;   // squares that float32 has not
        x[0, 1] *= 1e30;
        x[0, 2, TensorIndex.Ellipsis, ..4] = 0;
        var (one, other) = (x.clone().requires_grad_(), x.clone().requires_grad_());
        var expected = pooling.power_pool2d(one, (3, 2), (2, 2), (1, 1), ceil_mode: true, mean: mean);
        var actual = pooling.LengthPool(other, mean, new Window2d((3, 2), (2, 2), (1, 1), null, true)).to(ScalarType.Float32);
        var sizes = expected.detach() + (expected.detach() == 0);
        Tolerance.AssertClose(expected / sizes, actual / sizes);
        expected.sum().backward();
        actual.sum().backward();
        Tolerance.AssertClose(one.grad!, other.grad!);
        Assert.True(other.grad!.abs().max().ToDouble() > 0.1);

        var odd = tensor(new[] { float.NaN, 1, float.PositiveInfinity, 1, float.NegativeInfinity, 2, 3, 4 }).view(1, 1, 1, 8);
        var y = pooling.LengthPool(odd, false, new Window2d((1, 2), null, null, null, false));
        Assert.Equal([double.NaN, double.PositiveInfinity, double.PositiveInfinity, 5], y.data<double>().ToArray());
    }

    [Fact]
    public void It_runs_from_the_average_to_the_maximum_of_the_absolute_values()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8, dtype: ScalarType.Float64);
        Tolerance.AssertClose(nn.functional.avg_pool2d(x.square(), 2), pooling.power_pool2d(x.square(), 2, p: 1, mean: true));
        Tolerance.AssertClose(nn.functional.max_pool2d(x.abs(), 2), pooling.power_pool2d(x, 2, p: 10000), 1e-3);
        Tolerance.AssertClose(nn.functional.max_pool2d(x.abs(), 2), pooling.power_pool2d(x, 2, p: 10000, mean: true), 1e-3);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(50)]
    public void A_window_of_zeros_gives_zero_without_a_gradient_and_zeros_beside_others_have_none(double p)
    {
        using var scope = NewDisposeScope();
        var pool = new PowerPool2d((1, 2), p: p, learn_p: true);
        var x = tensor(new float[] { 0, 0, 0, -3 }).reshape(1, 1, 1, 4).requires_grad_();
        var y = pool.call(x);
        Tolerance.AssertClose(tensor(new float[] { 0, 3 }).reshape(1, 1, 1, 2), y);
        y.sum().backward();
        Tolerance.AssertClose(tensor(new float[] { 0, 0, 0, -1 }).reshape(1, 1, 1, 4), x.grad!);
        Assert.Equal(0, pool.parameters().Single().grad!.ToDouble(), 1e-6);
    }

    [Fact]
    public void No_power_leaves_float32()
    {
        using var scope = NewDisposeScope();
        foreach (var scale in new[] { 1e-40, 1e-30, 1e30, 1e37 })
        {
            foreach (var p in new[] { 0.2, 2, 7, 300 })
            {
                var x = (tensor(new[] { 3.0, 4, 1, -2 }).reshape(1, 1, 2, 2) * scale).to(ScalarType.Float32).requires_grad_();
                var y = pooling.power_pool2d(x, 2, p: p, mean: true);
                y.backward();
                double[] shares = [1, 0.75, 0.5, 0.25];   // of the largest, 4·scale
                var expected = 4 * scale * Math.Pow(shares.Average(share => Math.Pow(share, p)), 1 / p);
                Assert.InRange(y.ToDouble() / expected, 0.9999, 1.0001);
                Assert.True(x.grad!.isfinite().all().ToBoolean(), $"p {p}, {scale}");
            }
        }

        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            var far = tensor(new[] { 1, 1e-30 }, dtype: dtype).reshape(1, 1, 1, 2).requires_grad_();
            var y = pooling.power_pool2d(far, (1, 2), p: 0.11);
            Assert.Equal(Math.Pow(1 + Math.Pow(1e-30, 0.11), 1 / 0.11), y.ToDouble(), 1e-5);   // 1.0046
            y.backward();
            Assert.True(far.grad!.isfinite().all().ToBoolean());
            Assert.Equal(0, far.grad[0, 0, 0, 1].ToDouble());
        }

        var steep = tensor(new[] { 1f, 1e-38f, 1e-45f, 1e-20f }).reshape(1, 1, 2, 2).requires_grad_();
        pooling.power_pool2d(steep, 2, p: 0.11).backward();
        Assert.True(steep.grad!.isfinite().all().ToBoolean());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3.5)]
    [InlineData(40)]
    public void Small_windows_beside_large_ones_and_zeros_keep_their_digits(double p)
    {
        using var scope = NewDisposeScope();
        foreach (var (small, large) in new[] { (1e-10, 1.0), (1e-25, 1), (1e-40, 1), (1, 1e25), (1e-10, 1e37) })
        {
            foreach (var learned in new[] { false, true })
            {
                var x = randn(2, 3, 8, 8) * small;
                x[0, 0, ..4].mul_(large / small);
                x[0, 1, 4..].zero_();
                x.requires_grad_();
                var y = new PowerPool2d(2, p: p, learn_p: learned).call(x);
                var expected = Windows.Pool(x, (2, 2), (2, 2), (0, 0), (1, 1), false, values =>
                {
                    var most = values.Max(Math.Abs);
                    return most == 0 ? 0 : most * Math.Pow(values.Sum(v => Math.Pow(Math.Abs(v) / most, p)), 1 / p);
                });
                Assert.InRange((y / expected).to(ScalarType.Float64).nan_to_num(1).sub(1).abs().max().ToDouble(), 0, small == 1e-40 ? 1e-3 : 1e-5);
                y.sum().backward();
                Assert.True(x.grad!.isfinite().all().ToBoolean(), $"{small}, {large}");
                Assert.Equal(0, x.grad[0, 1, 4..].abs().sum().ToDouble());
                Assert.True((x.grad.abs().amax([2, 3]) > 0.1).all().ToBoolean(), $"{small}, {large}");
            }
        }
    }

    [Theory]
    [InlineData(0.3, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(50, true)]
    public void A_window_with_an_infinite_pixel_gives_infinity_and_one_with_NaN_gives_NaN(double p, bool mean)
    {
        using var scope = NewDisposeScope();
        const float inf = float.PositiveInfinity;
        var x = tensor(new[] { 1, inf, -inf, 2, -inf, inf, float.NaN, inf, 3, 3 }).reshape(1, 1, 1, 10);
        var y = new PowerPool2d((1, 2), p: p, mean: mean, learn_p: true).call(x).data<float>().ToArray();
        Assert.Equal([inf, inf, inf, float.NaN], y[..4]);
        Assert.Equal(3 * (mean ? 1 : Math.Pow(2, 1 / p)), y[4], 1e-3);
    }

    [Fact]
    public void The_learned_power_starts_as_given_and_no_step_of_training_breaks_it()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8);
        foreach (var p in new[] { 0.1001, 1, 2, 30, 10000 })
        {
            foreach (var mean in new[] { false, true })
            {
                Tolerance.AssertClose(new PowerPool2d(2, p: p, mean: mean).call(x), new PowerPool2d(2, p: p, mean: mean, learn_p: true).call(x), 1e-4, $"p {p}");
            }
        }

        var pool = new PowerPool2d(2, learn_p: true);
        Assert.Equal(["raw_p"], pool.state_dict().Keys);
        x.requires_grad_();
        foreach (var raw in new[] { -1e30, -200, 0, 200, 1e30 })
        {
            using (no_grad())
            {
                pool.state_dict()["raw_p"].fill_(raw);
            }

            pool.zero_grad();
            var y = pool.call(x);
            y.sum().backward();
            Assert.True(y.isfinite().all().ToBoolean(), $"raw {raw}");
            Assert.All(new[] { x, pool.parameters().Single() }, leaf => Assert.True(leaf.grad!.isfinite().all().ToBoolean(), $"gradient at raw {raw}"));
        }
    }

    [Fact]
    public void The_learned_power_follows_its_gradient()
    {
        using var scope = NewDisposeScope();
        var pool = new PowerPool2d(2, p: 1, mean: true, learn_p: true);
        var x = Seeded.Normal(3, [2, 3, 8, 8]).abs();
        var optimizer = optim.Adam(pool.parameters(), 0.1);
        for (var step = 0; step < 300; step++)
        {
            optimizer.zero_grad();
            (pool.call(x) - pooling.power_pool2d(x, 2, p: 4, mean: true)).square().sum().backward();
            optimizer.step();
        }

        Assert.Equal(4, 0.1 + nn.functional.softplus(pool.parameters().Single()).ToDouble(), 1e-2);
    }

    [PyTorchFact]
    public void With_p_2_it_is_PyTorchs_LPPool2d()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = randn(2, 3, 9, 8).requires_grad_();
        var y = pooling.power_pool2d(x, (3, 2), stride: 2, ceil_mode: false);
        var direction = randn_like(y);
        (y * direction).sum().backward();
        Python.Write(folder.Path, "x", x);
        Python.Write(folder.Path, "direction", direction);
        Python.Run(
            """
            import sys, numpy, torch
            read = lambda name, *shape: torch.from_numpy(numpy.fromfile(f"{sys.argv[1]}/{name}", "float32")).reshape(shape)
            x = read("x", 2, 3, 9, 8).requires_grad_()
            y = torch.nn.LPPool2d(2, (3, 2), 2)(x)
            (y * read("direction", *y.shape)).sum().backward()
            y.detach().numpy().tofile(sys.argv[1] + "/y")
            x.grad.numpy().tofile(sys.argv[1] + "/gradient")
            """, folder.Path);
        Tolerance.AssertClose(Python.Read(folder.File("y"), y.shape), y);
        Tolerance.AssertClose(Python.Read(folder.File("gradient"), x.shape), x.grad!);
    }

    [Fact]
    public void A_power_out_of_range_is_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var p in new[] { double.NaN, double.NegativeInfinity, -2, 0, 0.1, 10001, double.PositiveInfinity })
        {
            Assert.Contains("expected a number above 0.1 and at most 10000", Assert.Throws<ArgumentOutOfRangeException>("p", () => new PowerPool2d(2, p: p)).Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentOutOfRangeException>("p", () => pooling.power_pool2d(rand(1, 1, 2, 2), 2, p: p));
        }

        Assert.Contains("expected a floating-point dtype, got Int32", Assert.Throws<ArgumentException>("dtype", () => new PowerPool2d(2, learn_p: true, dtype: ScalarType.Int32)).Message, StringComparison.Ordinal);
    }
}
