using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class MixedPool2dTests
{
    [Fact]
    public void It_starts_half_way_between_maximum_and_average()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2, 3, 6 }).reshape(1, 1, 2, 2);   // maximum 6, average 3
        Assert.Equal(4.5, new MixedPool2d(2).call(x).ToDouble());
    }

    [Fact]
    public void It_is_the_formula_with_padding_left_out_and_a_share_for_each_channel()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        double[] shares = [0.1, 0.5, 0.8];
        var y = pooling.mixed_pool2d(x, tensor(shares).reshape(3, 1, 1), (3, 2), (2, 2), (1, 1), 1, true);
        for (var c = 0; c < 3; c++)
        {
            var expected = Windows.Pool(x.narrow(1, c, 1), (3, 2), (2, 2), (1, 1), (1, 1), true, values =>
                (shares[c] * values.Max()) + ((1 - shares[c]) * values.Average()));
            Tolerance.AssertClose(expected, y.narrow(1, c, 1), where: $"channel {c}");
        }
    }

    [Fact]
    public void Its_limits_are_max_and_average_pooling()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 8);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, 2), With(100), 0);
        Tolerance.AssertClose(nn.functional.avg_pool2d(x, 2), With(-100));

        Tensor With(float logit)
        {
            var module = new MixedPool2d(2);
            module.load_state_dict(new() { ["alpha_logit"] = tensor(new[] { logit }) });
            return module.call(x);
        }
    }

    [Fact]
    public void It_learns_which_of_the_two_a_channel_needs()
    {
        using var scope = NewDisposeScope();
        var module = new MixedPool2d(2, num_channels: 2);
        var x = Seeded.Normal(1, [4, 2, 8, 8]);
        var target = cat([nn.functional.max_pool2d(x[.., ..1], 2), nn.functional.avg_pool2d(x[.., 1..], 2)], 1);
        var optimizer = optim.Adam(module.parameters(), 0.3);
        for (var step = 0; step < 60; step++)
        {
            optimizer.zero_grad();
            nn.functional.mse_loss(module.call(x), target).backward();
            optimizer.step();
        }

        var shares = module.state_dict()["alpha_logit"].sigmoid().flatten().data<float>().ToArray();
        Assert.True(shares[0] > 0.95 && shares[1] < 0.05, string.Join(", ", shares));
    }

    [Fact]
    public void The_first_of_equal_pixels_takes_the_gradient_of_the_maximum()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 2, 2, requires_grad: true);
        new MixedPool2d(2).call(x).sum().backward();
        Assert.Equal([0.625f, 0.125f, 0.125f, 0.125f], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void One_share_serves_any_number_of_channels()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 6, 6);
        var module = new MixedPool2d(2, num_channels: 1);
        Assert.Equal([1], module.state_dict()["alpha_logit"].shape);
        Tolerance.AssertClose(new MixedPool2d(2).call(x), module.call(x), 0);
        Tolerance.AssertClose(pooling.mixed_pool2d(x, tensor(new[] { 0.3f }), 2), pooling.mixed_pool2d(x, tensor(new[] { 0.3f }).reshape(1, 1, 1), 2), 0);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void Maps_of_every_dtype_are_taken_by_it_and_by_gated_and_tree_pooling_in_both_forms(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = Seeded.Normal(4, [2, 3, 6, 5], ScalarType.Float64).to(dtype);
        foreach (var module in new nn.Module<Tensor, Tensor>[] { new MixedPool2d(2, num_channels: 3), new GatedPool2d(2, num_channels: 3), new TreePool2d(2, num_channels: 3) })
        {
            Seeded.Start(module, 4);
            torchscript.save(module, folder.File("m.pt"), x);
            using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
            var y = module.call(x);
            Assert.Equal(dtype, y.dtype);
            Tolerance.AssertClose(script.call(x), y, where: module.GetName());
            module.to(ScalarType.Float64);
            Tolerance.AssertClose(module.call(x.to(ScalarType.Float64)), y.to(ScalarType.Float64), 3 * Tolerance.Of(dtype), module.GetName());
        }
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 4, 4);
        Assert.Throws<ArgumentOutOfRangeException>("num_channels", () => new MixedPool2d(2, num_channels: 0));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (9223372036854775807)", () => new MixedPool2d(2, num_channels: long.MaxValue));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'kernel_size')", () => new MixedPool2d(0));
        Refused<ArgumentException>("expected a floating-point dtype, got Bool", () => new MixedPool2d(2, dtype: ScalarType.Bool));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64 (1) (Parameter 'alpha')", () => pooling.mixed_pool2d(x, ones(1, dtype: ScalarType.Int64), 2));
        Refused<ArgumentException>("expected a map large enough for a window of 5×5", () => new MixedPool2d(5).call(x));
        Refused<ArgumentException>("expected the shape (1), got 1 dimensions (2) (Parameter 'alpha')", () => pooling.mixed_pool2d(x, ones(2), 2));
        Refused<ArgumentException>("expected the shape (2, 1, 1), got 3 dimensions (2, 1, 3) (Parameter 'alpha')", () => pooling.mixed_pool2d(x, ones(2, 1, 3), 2));
        Refused<ArgumentException>("expected 3 channels, got a feature map (1, 2, 4, 4) with 2", () => pooling.mixed_pool2d(x, ones(3, 1, 1), 2));
        Assert.Throws<ArgumentNullException>("alpha", () => pooling.mixed_pool2d(x, null!, 2));
        Assert.Throws<ArgumentNullException>("x", () => pooling.mixed_pool2d(null!, ones(1), 2));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
