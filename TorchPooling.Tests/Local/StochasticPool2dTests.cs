using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

/// <summary>Some tests draw from the process's own generator, so none may run beside them.</summary>
[Collection(nameof(AloneCollection))]
public class StochasticPool2dTests
{
    private const int Draws = 10_000;

    /// <summary>Unequal activations, of which the third is never drawn: probabilities 0.1, 0.2, 0, 0.3, 0.4, 0.</summary>
    private static readonly float[] Activations = [1, 2, -5, 3, 4, 0];

    [Fact]
    public void In_eval_mode_it_is_the_expectation()
    {
        using var scope = NewDisposeScope();
        var x = tensor(Activations).reshape(1, 1, 2, 3).to(ScalarType.Float64);
        Assert.Equal(30 / 10.0, Eval(2, 3).call(x).ToDouble(), 1e-14);   // (1 + 4 + 9 + 16) / (1 + 2 + 3 + 4)

        var random = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(
            Windows.Pool(random, (3, 2), (2, 2), (1, 1), (1, 2), true, values =>
            {
                var active = values.Where(v => v > 0).ToList();
                return active.Count == 0 ? 0 : active.Sum(v => v * v) / active.Sum();
            }),
            pooling.stochastic_pool2d(random, (3, 2), (2, 2), (1, 1), (1, 2), true, training: false));

        static StochasticPool2d Eval(long height, long width)
        {
            var pool = new StochasticPool2d((height, width));
            pool.eval();
            return pool;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1e-42)]   // sums of so small and of so large activations are no float32
    [InlineData(8e37)]
    public void In_training_mode_pixels_are_drawn_by_their_share(double scale)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var unit = (tensor(Activations) * scale).to(ScalarType.Float32);
        var y = new StochasticPool2d((2, 3), generator: generator).call(unit.reshape(1, 1, 2, 3).expand(Draws, 1, 2, 3));
        AssertDistribution(y, unit);
    }

    [Fact]
    public void So_are_they_from_the_global_generator_and_by_the_TorchScript_form()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var pool = new StochasticPool2d((2, 3));
        var unit = tensor(Activations);
        var x = unit.reshape(1, 1, 2, 3).expand(Draws, 1, 2, 3);
        torchscript.save(pool, folder.File("m.pt"), x[..2]);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        script.train();
        random.manual_seed(2);
        var ours = pool.call(x);
        random.manual_seed(2);
        var theirs = script.call(x);
        AssertDistribution(ours, unit);
        Tolerance.AssertClose(ours, theirs, 0);

        random.manual_seed(3);
        AssertDistribution(script.call(x), unit);
        pool.eval();
        script.eval();
        Tolerance.AssertClose(pool.call(x), script.call(x));
    }

    [PyTorchFact]
    public void And_by_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var unit = tensor(Activations);
        torchscript.save(new StochasticPool2d((2, 3)), folder.File("m.pt"), unit.reshape(1, 1, 2, 3).expand(2, 1, 2, 3));
        Python.Write(folder.Path, "x", unit);
        Python.Run(
            """
            import sys, numpy, torch
            torch.manual_seed(4)
            x = torch.from_numpy(numpy.fromfile(sys.argv[1] + "/x", "float32")).reshape(1, 1, 2, 3).expand(10000, 1, 2, 3)
            torch.jit.load(sys.argv[1] + "/m.pt").train()(x).detach().numpy().tofile(sys.argv[1] + "/y")
            """, folder.Path);
        AssertDistribution(Python.Read(folder.File("y"), Draws, 1, 1, 1), unit);
    }

    /// <summary>Chi-square with three degrees of freedom: 16.27 is passed once in a thousand seeds.</summary>
    private static void AssertDistribution(Tensor drawn, Tensor unit)
    {
        var chi = 0.0;
        var seen = 0L;
        foreach (var (pixel, probability) in new[] { (0, 0.1), (1, 0.2), (3, 0.3), (4, 0.4) })
        {
            var count = (drawn == unit[pixel]).sum().ToInt64();
            chi += Math.Pow(count - (Draws * probability), 2) / (Draws * probability);
            seen += count;
        }

        Assert.Equal(Draws, seen);
        Assert.True(chi < 16.27, $"chi-square {chi:0.00}");
    }

    [Fact]
    public void Neighbouring_windows_channels_and_images_draw_by_themselves()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var x = tensor(new float[] { 1, 2 }).reshape(1, 1, 1, 2).expand(50, 4, 5, 2);
        var twos = (pooling.stochastic_pool2d(x, (1, 2), generator: generator) == 2).to(ScalarType.Float64);   // 2/3 of each 1000
        Assert.All(new long[][] { [0, 2], [1, 2], [0, 1] }, others =>
            Assert.All(twos.mean(others).flatten().data<double>().ToArray(), share => Assert.InRange(share, 0.1, 0.999)));
        Assert.Equal(2 / 3.0, twos.mean().ToDouble(), 0.05);
    }

    [Fact]
    public void A_generator_of_ones_own_repeats_the_draws_and_leaves_the_global_one_alone()
    {
        using var scope = NewDisposeScope();
        var x = rand(4, 3, 8, 8);
        var state = get_rng_state();
        var (first, again, other) = (Draw(6), Draw(6), Draw(7));
        Assert.True(state.Equals(get_rng_state()));
        Tolerance.AssertClose(first, again, 0);
        Assert.False(first.Equals(other));

        Tensor Draw(ulong seed)
        {
            using var generator = new Generator(seed);
            return new StochasticPool2d(2, generator: generator).call(x);
        }
    }

    [Fact]
    public void Contiguous_and_channels_last_maps_draw_the_same_in_CSharp_and_TorchScript()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = Seeded.Normal(10, [3, 20, 9, 8]);
        var last = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        var pool = new StochasticPool2d(3, 2, 1, ceil_mode: true);
        torchscript.save(pool, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        script.train();
        var draws = new Func<Tensor>[] { () => pool.call(x), () => pool.call(last), () => script.call(x), () => script.call(last) }.Select(draw =>
        {
            random.manual_seed(11);
            return draw();
        }).ToList();
        Assert.All(draws, draw => Tolerance.AssertClose(draws[0], draw, 0));
        Assert.True((pooling.power_pool2d(x.relu(), 3, 2, 1, ceil_mode: true, p: 100) * 1.1 >= draws[0]).all().ToBoolean());
    }

    [Theory]
    [InlineData(1e-25f, 1f)]
    [InlineData(1e-40f, 1f)]
    [InlineData(1f, 1e30f)]
    public void Small_windows_beside_large_ones_keep_their_expectation(float small, float large)
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1 * small, 3 * small, 1 * large, 3 * large, 0, 0 }).reshape(1, 1, 1, 6);
        var y = pooling.stochastic_pool2d(x, (1, 2), training: false).flatten();
        Assert.InRange(y[0].ToDouble() / small, 2.499, 2.501);   // (1 + 9) / (1 + 3)
        Assert.InRange(y[1].ToDouble() / large, 2.499, 2.501);
        Assert.Equal(0, y[2].ToDouble());
    }

    [Fact]
    public void A_module_with_a_generator_can_be_exported()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var generator = new Generator(8);
        torchscript.save(new StochasticPool2d(2, generator: generator), folder.File("m.pt"), rand(2, 3, 8, 8));
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Assert.Equal([2, 3, 4, 4], script.call(rand(2, 3, 8, 8)).shape);
    }

    [Fact]
    public void A_disposed_generator_is_refused()
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        generator.Dispose();
        var pool = new StochasticPool2d(2, generator: generator);
        Assert.Contains("expected a generator that is not disposed", Assert.Throws<ArgumentException>("generator", () => pool.call(rand(1, 1, 2, 2))).Message, StringComparison.Ordinal);
        pool.eval();
        Assert.Equal([1, 1, 1, 1], pool.call(rand(1, 1, 2, 2)).shape);
    }

    [Fact]
    public void The_drawn_pixel_alone_has_the_gradient()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        var x = Seeded.Normal(9, [3, 2, 6, 6]).requires_grad_();
        var y = new StochasticPool2d(2, generator: generator).call(x);
        y.sum().backward();
        var windows = pooling.power_pool2d(x.grad!, 2, p: 1);
        Tolerance.AssertClose((y > 0).to(ScalarType.Float32), windows, 1e-6);   // one pixel of each, none where no pixel is positive
        Tolerance.AssertClose(y.sum(), (x * x.grad!).sum(), 1e-5);
        Assert.Contains(false, (y > 0).flatten().data<bool>().ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_window_without_a_positive_pixel_gives_zero_without_a_gradient(bool training)
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 0, -1, -2, 0 }).reshape(1, 1, 2, 2).requires_grad_();
        var y = pooling.stochastic_pool2d(x, 2, training: training);
        y.backward();
        Assert.Equal(0, y.ToDouble());
        Assert.Equal(0, x.grad!.abs().sum().ToDouble());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Infinity_and_NaN_stay_what_they_are(bool training)
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1, 2, float.PositiveInfinity, 3, 4, float.NaN }).reshape(1, 1, 1, 6);
        var y = pooling.stochastic_pool2d(x, (1, 2), training: training).flatten();
        Assert.InRange(y[0].ToSingle(), 1, 2);
        Assert.Equal(float.PositiveInfinity, y[1].ToSingle());
        Assert.Equal(float.NaN, y[2].ToSingle());
    }
}
