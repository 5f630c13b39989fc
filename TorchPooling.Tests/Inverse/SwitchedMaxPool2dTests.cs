using static TorchSharp.torch;

namespace TorchPooling.Tests.Inverse;

public class SwitchedMaxPool2dTests
{
    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 5, 2, 0, 3, 4, 7, 6 }).reshape(1, 1, 2, 4);
        Tolerance.AssertClose(tensor(new float[] { 0, 5, 0, 0, 0, 0, 7, 0 }).reshape(1, 1, 2, 4), new SwitchedMaxPool2d(2).call(x), 0);
        var (values, switches) = pooling.switched_max_pool2d(x, 2);
        Assert.Equal([5f, 7f], values.data<float>().ToArray());
        Assert.Equal([1L, 6L], switches.data<long>().ToArray());
        Tolerance.AssertClose(tensor(new float[] { 0, 10, 0, 0, 0, 0, 14, 0 }).reshape(1, 1, 2, 4), pooling.switched_max_unpool2d(values * 2, switches, (2, 4)), 0);
    }

    [Fact]
    public void Without_a_body_the_maxima_stay_and_all_else_is_0_whatever_the_window()
    {
        foreach (var (kernel, stride, padding, dilation, ceil) in new[] { (2L, 2L, 0L, 1L, false), (3L, 2L, 1L, 1L, false), (3L, 1L, 1L, 1L, true), (2L, 3L, 1L, 2L, true), (3L, 2L, 0L, 2L, true) })
        {
            using var scope = NewDisposeScope();
            var x = (Seeded.Normal(4, [2, 3, 9, 8]) * 3).round();   // with ties
            var y = new SwitchedMaxPool2d(kernel, stride, padding, dilation, ceil).call(x);
            var (_, switches) = nn.functional.max_pool2d_with_indices(x, [kernel, kernel], [stride, stride], [padding, padding], [dilation, dilation], ceil);
            var (source, at) = (x.reshape(6, -1), switches.reshape(6, -1));
            var expected = zeros_like(source);
            for (var plane = 0; plane < 6; plane++)
            {
                foreach (var pixel in at[plane].data<long>())
                {
                    expected[plane, pixel] = source[plane, pixel];
                }
            }

            Tolerance.AssertClose(expected.reshape(x.shape), y, 0, $"{kernel}, {stride}, {padding}, {dilation}, {ceil}");
        }
    }

    [Fact]
    public void Of_several_values_for_one_pixel_the_last_is_kept_and_takes_the_gradient_alone()
    {
        using var scope = NewDisposeScope();
        var y = tensor(new[] { 1.0, 2, 3, 4 }).reshape(1, 1, 2, 2).requires_grad_();
        var switches = tensor(new long[] { 4, 0, 4, 4 }).reshape(1, 1, 2, 2);
        var map = pooling.switched_max_unpool2d(y, switches, 3);
        Tolerance.AssertClose(tensor(new[] { 2.0, 0, 0, 0, 4, 0, 0, 0, 0 }).reshape(1, 1, 3, 3), map, 0);
        (map * 5).sum().backward();
        Tolerance.AssertClose(tensor(new[] { 0.0, 5, 0, 5 }).reshape(1, 1, 2, 2), y.grad!, 0);
    }

    [PyTorchFact]
    public void Outputs_are_those_of_PyTorch_s_pooling_and_unpooling_and_gradients_too_where_windows_do_not_overlap()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = Seeded.Normal(5, [2, 3, 9, 8]).requires_grad_();
        var direction = Seeded.Normal(6, x.shape);
        Python.Write(folder.Path, "x", x);
        Python.Write(folder.Path, "direction", direction);
        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder = sys.argv[1]
            read = lambda name: torch.from_numpy(numpy.fromfile(f"{folder}/{name}", "float32")).reshape(2, 3, 9, 8)
            for k, s, p in (2, 2, 0), (3, 3, 1), (3, 2, 1):
                x = read("x").requires_grad_()
                values, switches = F.max_pool2d(x, k, s, p, return_indices=True)
                # different values for one pixel: the body scales by the place of the window
                scale = torch.arange(1.0, values[0, 0].numel() + 1).reshape(values.shape[2:])
                y = F.max_unpool2d(values * scale, switches, k, s, p, output_size=(9, 8))
                (y * read("direction")).sum().backward()
                y.detach().numpy().tofile(f"{folder}/y{k}{s}{p}")
                x.grad.numpy().tofile(f"{folder}/g{k}{s}{p}")
            """, folder.Path);
        foreach (var (k, s, p) in new[] { (2, 2, 0), (3, 3, 1), (3, 2, 1) })
        {
            x.grad?.zero_();
            var layer = new SwitchedMaxPool2d(k, s, p, body: new Scale());
            var y = layer.call(x);
            (y * direction).sum().backward();
            var (values, switches) = pooling.switched_max_pool2d(x, k, s, p);
            Tolerance.AssertClose(y, pooling.switched_max_unpool2d(new Scale().call(values), switches, (9, 8)), 0);
            Tolerance.AssertClose(Python.Read(folder.File($"y{k}{s}{p}"), x.shape), y, 0, $"{k}, {s}, {p}");
            if (s >= k)   // where they overlap PyTorch also gives the values that it overwrote a gradient
            {
                Tolerance.AssertClose(Python.Read(folder.File($"g{k}{s}{p}"), x.shape), x.grad!, where: $"{k}, {s}, {p}");
            }
        }
    }

    [Fact]
    public void A_body_on_overlapping_windows_has_gradients_that_agree_with_central_differences()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(8, [1, 2, 5, 6], ScalarType.Float64).requires_grad_();
        var direction = randn_like(x);
        var layer = new SwitchedMaxPool2d(3, 1, 1, body: new Scale());
        Tensor Loss() => (layer.call(x) * direction).sum();
        Loss().backward();
        Tolerance.AssertClose(CentralDifferences.Of(x, Loss), x.grad!, 1e-6);
    }

    [Fact]
    public void An_autoencoder_of_two_nested_levels_trains_and_leaves_as_TorchScript()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var inner = new SwitchedMaxPool2d(2, body: nn.Sequential(nn.Conv2d(12, 12, 3, padding: 1), nn.ReLU()));
        var outer = new SwitchedMaxPool2d(2, body: nn.Sequential(nn.Conv2d(8, 12, 3, padding: 1), nn.ReLU(), inner, nn.Conv2d(12, 8, 3, padding: 1)));
        var network = nn.Sequential(nn.Conv2d(1, 8, 3, padding: 1), nn.ReLU(), outer, nn.Conv2d(8, 1, 3, padding: 1));
        Seeded.Start(network, 2);
        var images = nn.functional.interpolate(Seeded.Normal(2, [8, 1, 5, 5]), size: [16, 16], mode: InterpolationMode.Bilinear, align_corners: false);
        var optimizer = optim.Adam(network.parameters(), 0.01);
        var first = 0.0;
        var last = 0.0;
        for (var step = 0; step < 150; step++)
        {
            using var pass = NewDisposeScope();
            optimizer.zero_grad();
            var loss = (network.call(images) - images).square().mean();
            loss.backward();
            optimizer.step();
            last = loss.ToDouble();
            first = step == 0 ? last : first;
        }

        Assert.All(network.parameters(), p => Assert.True(p.grad!.abs().sum().ToDouble() > 0));
        Assert.True(last < 0.1 * first, $"the error went from {first:0.000} to {last:0.000}");
        Assert.Equal(["0.weight", "0.bias", "2.body.0.weight", "2.body.0.bias", "2.body.2.body.0.weight"], network.state_dict().Keys.Take(5));
        torchscript.save(network, folder.File("m.pt"), images[..2]);
    }

    [Fact]
    public void Encoder_and_decoder_may_stand_apart()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 9);
        var body = nn.Conv2d(3, 3, 1);
        var (values, switches) = pooling.switched_max_pool2d(x, 2, ceil_mode: true);
        Assert.Equal(ScalarType.Int64, switches.dtype);
        Tolerance.AssertClose(new SwitchedMaxPool2d(2, ceil_mode: true, body: body).call(x), pooling.switched_max_unpool2d(body.call(values), switches, (7, 9)), 0);
        Assert.Equal([0, 3, 7, 9], pooling.switched_max_unpool2d(values[..0], switches[..0], (7, 9)).shape);
        var half = pooling.switched_max_unpool2d(values.to(ScalarType.Float16), switches, (7, 9));
        Tolerance.AssertClose(pooling.switched_max_unpool2d(values, switches, (7, 9)).to(ScalarType.Float16), half, 0);
    }

    [Fact]
    public void Huge_settings_are_windows_like_others()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 4, 5);
        const int most = int.MaxValue;
        var flat = x.flatten(2);
        var expected = flat.masked_fill(flat < flat.amax([2], keepdim: true), 0).reshape(x.shape);   // the largest pixel alone
        Tolerance.AssertClose(expected, new SwitchedMaxPool2d(most, most, most / 2).call(x), 0);
        Tolerance.AssertClose(expected, new SwitchedMaxPool2d((4, 5), most, ceil_mode: true).call(x), 0);
    }

    [Fact]
    public void A_body_that_changes_the_shape_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 3, 4, 4);
        var message = Assert.Throws<InvalidOperationException>(() => new SwitchedMaxPool2d(2, body: nn.Conv2d(3, 5, 1)).call(x)).Message;
        Assert.Contains("expected a body that keeps (1, 3, 2, 2) of Float32 on cpu, got (1, 5, 2, 2) of Float32 on cpu", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Switches_that_are_none_are_refused()
    {
        using var scope = NewDisposeScope();
        var (y, switches) = pooling.switched_max_pool2d(rand(1, 2, 4, 4), 2);
        Refused("expected the shape (1, 2, 2, 2), got 4 dimensions (1, 2, 2, 1)", switches[.., .., .., ..1], 4);
        Refused("expected Int64 on cpu, got Int32 on cpu", switches.to(ScalarType.Int32), 4);
        Refused("expected switches from 0 to 15 for a map of 4×4 (H×W), got 16", switches.clamp_min(16), 4);
        Refused("expected switches from 0 to 15 for a map of 4×4 (H×W), got -3", switches.clamp_max(-3), 4);
        Refused("expected switches from 0 to 15", full_like(switches, long.MinValue), 4);
        Refused("expected switches from 0 to 2", switches, (1, 3));
        Refused("expected 1 to 67108864", switches, int.MaxValue);
        Refused("expected 1 to 2147483647", switches, 0);
        Refused("expected one number or (height, width), got [1, 2, 3]", switches, (1, 2, 3));

        void Refused(string message, Tensor at, Size size) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => pooling.switched_max_unpool2d(y, at, size)).Message, StringComparison.Ordinal);
    }

    [CudaTheory]
    [InlineData(2)]
    public void On_CUDA_a_switch_outside_the_map_gives_NaN_and_the_device_lives_on(long size)
    {
        using var scope = NewDisposeScope();
        var y = ones(1, 2, 1, 2, device: CUDA);
        var switches = tensor(new long[] { 1, -5, 2, 99 }, device: CUDA).reshape(1, 2, 1, 2);
        var map = pooling.switched_max_unpool2d(y, switches, size).cpu().flatten(2);
        Assert.Equal([float.NaN, 1f, 0f, 0f, 0f, 0f, 1f, float.NaN], map.data<float>().ToArray());
    }

    /// <summary>Multiplies each pixel by its place, from 1.</summary>
    private sealed class Scale() : nn.Module<Tensor, Tensor>(nameof(Scale))
    {
        public override Tensor forward(Tensor x) => x * arange(1, x[0, 0].numel() + 1, dtype: x.dtype).reshape(x.shape[2..]);
    }
}
