using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

/// <summary>Maps of more numbers than a slice: what comes of each channel is what comes of it alone.</summary>
[Collection(nameof(AloneCollection))]   // draws from the process's own generator
public class SlicesTests
{
    public static TheoryData<long[], bool> Maps => new()
    {
        { [5, 40, 101, 100], false },   // three images in a slice, and two
        { [5, 40, 101, 100], true },
        { [2, 40, 203, 200], false },   // an image is larger than a slice: channels across both
        { [2, 40, 203, 200], true },
        { [1, 1, 1300, 1201], false },   // a channel is
    };

    [Theory]
    [MemberData(nameof(Maps))]
    public void Each_image_and_channel_gives_what_it_gives_alone(long[] shape, bool channelsLast)
    {
        using var scope = NewDisposeScope();
        Assert.True(shape.Aggregate((a, b) => a * b) > Slices.Numbers);
        foreach (var make in new Func<nn.Module<Tensor, Tensor>>[]
        {
            () => new PowerPool2d(3, 2, 1), () => new SoftPool2d(2), () => new CenterWeightedAvgPool2d(3, 2, 1, ceil_mode: true),
            () => new LogSumExpPool2d(2), () => new MedianPool2d(2), () => Eval(new StochasticPool2d(2)),
        })
        {
            using var step = NewDisposeScope();
            using var pool = make();
            using var folder = new TemporaryFolder();
            var x = Layout(Seeded.Normal(1, shape), channelsLast).requires_grad_();
            torchscript.save(pool, folder.File("m.pt"), x[..1, ..1, ..8, ..8]);
            using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
            script.train(pool.training);
            var (y, scripted) = (pool.call(x), script.call(x));
            Tolerance.AssertClose(y, scripted, 0);
            y.square().sum().backward();
            foreach (var (n, c) in new[] { (0L, 0L), (shape[0] - 1, shape[1] - 1), (shape[0] / 2, shape[1] / 2) })
            {
                var alone = x.detach()[n, c].unsqueeze(0).unsqueeze(0).clone().requires_grad_();
                var one = pool.call(alone.narrow(2, 0, shape[2]));
                Tolerance.AssertClose(one[0, 0], y[n, c], 1e-5, pool.GetName());
                one.square().sum().backward();
                Tolerance.AssertClose(alone.grad![0, 0], x.grad![n, c], 1e-4, pool.GetName());
            }
        }
    }

    [Fact]
    public void What_is_drawn_is_the_same_in_either_layout_in_CSharp_and_TorchScript_and_as_of_half_the_numbers_twice()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = Seeded.Normal(2, [2, 40, 203, 200]);
        var pool = new StochasticPool2d(2);
        torchscript.save(pool, folder.File("m.pt"), x[..1, ..1, ..8, ..8]);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        script.train();
        var last = Layout(x, true);
        var draws = new Func<Tensor>[]
        {
            () => pool.call(x), () => pool.call(last), () => script.call(x), () => script.call(last),
            () => cat([.. x.flatten(0, 1).unsqueeze(1).split(10).Select(part => pool.call(part))]).view(2, 40, 101, 100),
        }.Select(draw =>
        {
            random.manual_seed(3);
            return draw();
        }).ToList();
        Assert.All(draws, draw => Tolerance.AssertClose(draws[0], draw, 0));
    }

    [Fact]
    public void Sums_of_half_precision_are_of_float32()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(4, [5, 40, 101, 100]).to(ScalarType.BFloat16);
        var y = pooling.power_pool2d(x, 3, 2, 1);
        Assert.Equal(ScalarType.BFloat16, y.dtype);
        Assert.True(y.Equals(pooling.power_pool2d(x.to(ScalarType.Float32), 3, 2, 1).to(ScalarType.BFloat16)));
    }

    private static StochasticPool2d Eval(StochasticPool2d pool)
    {
        pool.eval();
        return pool;
    }

    private static Tensor Layout(Tensor x, bool channelsLast) => channelsLast ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x;
}
