using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>Settings that ask for more than the memory of any machine.</summary>
public class HugeSettingsTests
{
    [Fact]
    public void A_layer_that_no_memory_holds_is_refused_with_its_size()
    {
        Refused("num_clusters", "got 4 times Float32 (1099511627776, 3), which takes 49152 GiB", () => new NetVLAD(1L << 40, 3));
        Refused("num_ghosts", "got 4 times Float64 (9223372036854775807, 2)", () => new GhostVLAD(1, 2, long.MaxValue, dtype: float64));
        Refused("dim", "Float32 (1099511627776, 1099511627776)", () => new ContextGating(1L << 40));
        Refused("blocks", "Float32 (4, 1099511627776, 3, 3)", () => new VggBackbone([[4], [1L << 40]]));
        Refused("expansion", "GiB", () => new NeXtVLAD(4, 1L << 40, long.MaxValue));
        Refused("num_channels", "GiB", () => new GeM2d(num_channels: 1L << 50));
    }

    [Fact]
    public void A_window_that_no_memory_holds_is_refused_with_its_size()
    {
        using var x = rand(1, 2, 6, 7);
        Refused(
            "kernel_size", "got Float32 (2147483646, 2147483646, 1, 2, 7, 8)",
            () => pooling.soft_pool2d(x, int.MaxValue - 1, stride: 1, padding: (int.MaxValue - 1) / 2));
        Refused("levels", "expected levels of not more than 16777216 bins together", () => pooling.spatial_pyramid_pool2d(x, [1, int.MaxValue]));
    }

    [Fact]
    public void What_fits_into_memory_is_not_refused()
    {
        using var layer = new NetVLAD(1 << 16, 4);
        Assert.Equal(1 << 18, layer.output_length);
    }

    [Fact]
    public void A_parameter_is_not_made_on_a_device_that_holds_no_values()
    {
        foreach (var device in new[] { META, new Device(DeviceType.XLA), new Device(DeviceType.CUDA, 99), new Device(DeviceType.CPU, 3) })
        {
            var e = Assert.Throws<ArgumentException>("device", () => new NetVLAD(4, 3, device: device));
            Assert.Contains($"expected a device of this machine that holds values, got {device}", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_tensor_without_values_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 6, 7);
        Refused("x", "expected a dense tensor with values, got Float32 on meta (1, 2, 6, 7)", () => pooling.mac(x.to(META)));
        Refused("x", "expected a dense tensor with values, got sparse Float32 on cpu (1, 2, 6, 7)", () => pooling.mac(sparse_coo_tensor(x.nonzero().t(), x.flatten(), x.shape)));
    }

    private static void Refused(string argument, string message, Func<object> call)
    {
        var e = Assert.ThrowsAny<ArgumentException>(call);
        Assert.Equal(argument, e.ParamName);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
