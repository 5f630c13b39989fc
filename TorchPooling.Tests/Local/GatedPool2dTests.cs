using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class GatedPool2dTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 1, 2, 3, 6 }).reshape(1, 1, 2, 2);   // maximum 6, average 3
        var mask = tensor(new[] { 0, 0, Math.Log(3) / 3, 0 }).reshape(1, 1, 2, 2);   // a gate of σ(log 3) = 3/4
        Assert.Equal(5.25, pooling.gated_pool2d(x, mask).ToDouble(), 1e-15);
    }

    [Fact]
    public void It_starts_as_mixed_pooling_does()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 8);
        Tolerance.AssertClose(new MixedPool2d(3, 2, 1).call(x), new GatedPool2d(3, 2, 1).call(x), 0);
        Tolerance.AssertClose(new MixedPool2d(3, 2, 1).call(x), new GatedPool2d(3, 2, 1, num_channels: 3).call(x), 0);
    }

    [Fact]
    public void It_is_the_formula_with_padding_left_out_and_a_mask_for_each_channel()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        var masks = randn(3, 1, 3, 2, dtype: ScalarType.Float64);
        var y = pooling.gated_pool2d(x, masks, 2, 1, (1, 2), true);
        for (var c = 0; c < 3; c++)
        {
            var expected = Windows.Pool(x.narrow(1, c, 1), (3, 2), (2, 2), (1, 1), (1, 2), true, (values, places) =>
            {
                var logit = values.Zip(places, (v, place) => v * masks[c, 0, place.Row, place.Column].ToDouble()).Sum();
                var gate = 1 / (1 + Math.Exp(-logit));
                return (gate * values.Max()) + ((1 - gate) * values.Average());
            });
            Tolerance.AssertClose(expected, y.narrow(1, c, 1), where: $"channel {c}");
        }
    }

    [Fact]
    public void One_mask_serves_every_channel()
    {
        using var scope = NewDisposeScope();
        var (x, mask) = (randn(2, 3, 6, 6), randn(1, 1, 2, 2));
        Tolerance.AssertClose(pooling.gated_pool2d(x, mask.expand(3, 1, 2, 2)), pooling.gated_pool2d(x, mask), 0);
    }

    [Fact]
    public void It_learns_what_no_share_of_the_layer_can()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(2, [8, 1, 8, 8]);
        var first = x.slice(2, 0, 8, 2).slice(3, 0, 8, 2);
        var target = where(first > 0, nn.functional.max_pool2d(x, 2), nn.functional.avg_pool2d(x, 2));   // the first pixel decides
        var (gated, mixed) = (Train(new GatedPool2d(2)), Train(new MixedPool2d(2)));
        Assert.True(gated < 0.25 * mixed, $"{gated:0.0000} and {mixed:0.0000}");

        double Train(nn.Module<Tensor, Tensor> module)
        {
            var optimizer = optim.Adam(module.parameters(), 0.3);
            for (var step = 0; step < 100; step++)
            {
                optimizer.zero_grad();
                nn.functional.mse_loss(module.call(x), target).backward();
                optimizer.step();
            }

            return nn.functional.mse_loss(module.call(x), target).ToDouble();
        }
    }

    [PyTorchFact]
    public void Outputs_and_gradients_equal_those_of_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (x, masks) = (randn(2, 3, 9, 8).requires_grad_(), randn(3, 1, 3, 3).requires_grad_());
        Python.Write(folder.Path, "x", x);
        Python.Write(folder.Path, "masks", masks);
        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder = sys.argv[1]
            x = torch.from_numpy(numpy.fromfile(folder + "/x", "float32")).reshape(2, 3, 9, 8).requires_grad_()
            masks = torch.from_numpy(numpy.fromfile(folder + "/masks", "float32")).reshape(3, 1, 3, 3).requires_grad_()
            gate = torch.sigmoid(F.conv2d(x, masks, stride=2, padding=1, groups=3))
            y = gate * F.max_pool2d(x, 3, 2, 1) + (1 - gate) * F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
            (y * torch.arange(y.numel()).cos().reshape(y.shape)).sum().backward()
            for name, value in ("y", y.detach()), ("gx", x.grad), ("gmasks", masks.grad):
                value.numpy().tofile(f"{folder}/{name}")
            """, folder.Path);

        var y = pooling.gated_pool2d(x, masks, 2, 1);
        (y * arange(y.numel()).cos().reshape(y.shape)).sum().backward();
        Tolerance.AssertClose(Python.Read(folder.File("y"), y.shape), y);
        Tolerance.AssertClose(Python.Read(folder.File("gx"), x.shape), x.grad!, where: "gradient of x");
        Tolerance.AssertClose(Python.Read(folder.File("gmasks"), masks.shape), masks.grad!, 1e-5, "gradient of the masks");
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 4, 4);
        Assert.Throws<ArgumentOutOfRangeException>("num_channels", () => new GatedPool2d(2, num_channels: -3));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (1, 1, 2147483647, 2147483647)", () => new GatedPool2d(int.MaxValue));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (9223372036854775807, 1, 2, 2)", () => new GatedPool2d(2, num_channels: long.MaxValue));
        Refused<ArgumentException>("expected 3 channels, got a feature map (1, 2, 4, 4) with 2", () => new GatedPool2d(2, num_channels: 3).call(x));
        Refused<ArgumentException>("expected the shape (2, 1, 2, 2), got 4 dimensions (2, 3, 2, 2) (Parameter 'weight')", () => pooling.gated_pool2d(x, ones(2, 3, 2, 2)));
        Refused<ArgumentException>("expected filters of four dimensions, the last two a window's, got (2, 2) (Parameter 'weight')", () => pooling.gated_pool2d(x, ones(2, 2)));
        Refused<ArgumentException>("expected filters of four dimensions, the last two a window's, got (1, 1, 0, 2)", () => pooling.gated_pool2d(x, ones(1, 1, 0, 2)));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64 (1, 1, 2, 2) (Parameter 'weight')", () => pooling.gated_pool2d(x, ones(1, 1, 2, 2, dtype: ScalarType.Int64)));
        Refused<ArgumentException>("expected a map large enough for a window of 5×5", () => pooling.gated_pool2d(x, ones(1, 1, 5, 5)));
        Assert.Throws<ArgumentNullException>("weight", () => pooling.gated_pool2d(x, null!));
        Assert.Throws<ArgumentNullException>("x", () => pooling.gated_pool2d(null!, ones(1, 1, 2, 2)));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
