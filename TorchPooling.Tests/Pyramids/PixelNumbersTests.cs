using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

/// <summary>The largest pixel takes the gradient on maps of more pixels than the integers of their dtype, too: 2⁸ in bfloat16, 2¹¹ in
/// float16, 2²⁴ in float32.</summary>
public class PixelNumbersTests
{
    private static readonly Dictionary<string, Func<nn.Module<Tensor, Tensor>>> Layers = new()
    {
        ["MAC"] = () => new MAC(),
        ["RMAC"] = () => new RMAC(),
        ["SPP 1d"] = () => new Sequences(new SpatialPyramidPool1d()),
        ["SPP 1d, rule of SPPNet"] = () => new Sequences(new SpatialPyramidPool1d([1, 2], bins: BinRule.SppNet)),
        ["SPP 2d"] = () => new SpatialPyramidPool2d(),
        ["SPP 2d, no levels nest"] = () => new SpatialPyramidPool2d([3, 4]),
        ["SPP 2d, rule of SPPNet"] = () => new SpatialPyramidPool2d([1, 2], bins: BinRule.SppNet),
        ["SPP 3d"] = () => new Volumes(new SpatialPyramidPool3d()),
        ["SPP 3d, rule of SPPNet"] = () => new Volumes(new SpatialPyramidPool3d([1, 2], bins: BinRule.SppNet)),
        ["SPPF"] = () => new FastSpatialPyramidPool2d(),
    };

    public static TheoryData<string, ScalarType, long, bool> All()
    {
        var data = new TheoryData<string, ScalarType, long, bool>();
        foreach (var name in Layers.Keys)
        {
            foreach (var channels in new[] { 1, 6 })
            {
                foreach (var channels_last in new[] { false, true })
                {
                    data.Add(name, ScalarType.BFloat16, channels, channels_last);
                    data.Add(name, ScalarType.Float16, channels, channels_last);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Half_precision_gives_the_gradient_to_the_pixels_that_float64_does(string name, ScalarType dtype, long channels, bool channels_last)
    {
        using var scope = NewDisposeScope();
        var (h, w) = dtype == ScalarType.BFloat16 ? (20, 30) : (60, 70);
        var map = Distinct(dtype, channels, h, w);
        using var layer = Layers[name]();
        using var folder = new TemporaryFolder();
        torchscript.save(layer, folder.File("m.pt"), map);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        var (maxima, expected) = Run(layer.call, map.to(ScalarType.Float64));
        foreach (var pool in new Func<Tensor, Tensor>[] { layer.call, script.call })
        {
            for (var round = 0; round < 3; round++)   // TorchScript is compiled for what it has seen
            {
                var (y, gradient) = Run(pool, channels_last ? map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : map);
                Assert.InRange((y - maxima).abs().max().ToDouble(), 0, 0.02 * maxima.abs().max().ToDouble());
                Assert.InRange((gradient - expected).abs().max().ToDouble(), 0, (0.02 * expected.abs().max().ToDouble()) + 1e-5);
            }
        }
    }

    [Theory]
    [InlineData("MAC")]
    [InlineData("SPP 1d")]
    [InlineData("SPP 2d")]
    public void Float32_does_where_its_integers_end(string name)
    {
        using var scope = NewDisposeScope();
        const long place = (1 << 24) + 3;
        var x = zeros(1, 1, 4097, 4100);
        x.flatten()[place] = 1;
        x.requires_grad_();
        using var layer = Layers[name]();
        layer.call(x).max().backward();
        Assert.Equal(place, x.grad!.flatten().argmax().ToInt64());
    }

    private static (Tensor Output, Tensor Gradient) Run(Func<Tensor, Tensor> pool, Tensor map)
    {
        var x = map.detach().requires_grad_();
        var y = pool(x);
        y.sum().backward();
        return (y.detach().to(ScalarType.Float64), x.grad!.to(ScalarType.Float64));
    }

    /// <summary>Every number of a plane is another, in another order for each.</summary>
    private static Tensor Distinct(ScalarType dtype, long channels, int h, int w)
    {
        var one = dtype == ScalarType.BFloat16 ? 0x3F80 : 0x3C00;
        var plane = empty([h * w], dtype: dtype);
        plane.bytes = MemoryMarshal.AsBytes(Enumerable.Range(one, h * w).Select(bits => (short)bits).ToArray().AsSpan());
        using var generator = new Generator(1);
        return stack([.. Enumerable.Range(0, 2 * (int)channels).Select(_ => plane[randperm((long)h * w, generator: generator)])]).reshape(2, channels, h, w);
    }
}
