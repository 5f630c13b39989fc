using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Where a <see cref="VggBackbone"/> ends.</summary>
public enum VggCut
{
    /// <summary>After the last pooling layer, as torchvision's <c>features</c>.</summary>
    AfterLastPool,

    /// <summary>After the last ReLU, before the last pooling: non-negative features, as GeM and max pooling take them.</summary>
    AfterLastReLU,

    /// <summary>Before the last ReLU: signed features, as NetVLAD takes them.</summary>
    BeforeLastReLU,
}

/// <summary>The convolutional part of the VGG family: blocks of 3×3 convolutions with ReLU, each block closed by pooling.</summary>
/// <remarks>
/// <para>state_dict keys and their order are those of torchvision's VGG models (<c>features.0.weight</c>, …), for 11, 13,
/// 16 and 19 layers with and without batch norm.</para>
/// <para>Shape: input (N, 3, H, W), or as many channels as asked for; output (N, C, H / 2^p, W / 2^p), rounded down at each
/// of the p pooling layers of size 2 within the cut, C the last width.</para>
/// <para>Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015, table 1
/// (configurations A, B, D, E).</para>
/// </remarks>
public sealed class VggBackbone : nn.Module<Tensor, Tensor>, IScriptable
{
    /// <summary>Configuration A: 8 convolutions.</summary>
    public static long[][] Vgg11 => [[64], [128], [256, 256], [512, 512], [512, 512]];

    /// <summary>Configuration B: 10 convolutions.</summary>
    public static long[][] Vgg13 => [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]];

    /// <summary>Configuration D: 13 convolutions.</summary>
    public static long[][] Vgg16 => [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];

    /// <summary>Configuration E: 16 convolutions.</summary>
    public static long[][] Vgg19 =>
        [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]];

    private readonly Sequential features;
    private readonly bool channels_last;

    /// <param name="blocks">Widths of the convolutions, block by block: <see cref="Vgg16"/>, say, or <c>[[16], [32, 32]]</c>.</param>
    /// <param name="batch_norm">A batch norm after every convolution.</param>
    /// <param name="pool">Makes the layer that closes a block of so many channels; <c>MaxPool2d(2)</c> where null.</param>
    /// <param name="cut">Where the network ends.</param>
    /// <param name="in_channels">Channels of the input.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>Weights start as torchvision's do: convolutions normal with variance 2 / (9·C_out), biases 0.</remarks>
    /// <exception cref="ArgumentException"><paramref name="blocks"/> has no block, an empty block or a width below 1, <paramref name="pool"/>
    /// makes no layer, or <paramref name="dtype"/> is no floating-point type.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="in_channels"/> is not positive.</exception>
    public VggBackbone(
        long[][] blocks, bool batch_norm = false, Func<long, nn.Module<Tensor, Tensor>>? pool = null,
        VggCut cut = VggCut.AfterLastPool, long in_channels = 3, Device? device = null, ScalarType? dtype = null)
        : base(nameof(VggBackbone))
    {
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(in_channels);
        if (blocks.Length == 0 || blocks.Any(widths => widths is not { Length: > 0 } || widths.Min() < 1))
        {
            var got = string.Join(", ", blocks.Select(widths => $"[{string.Join(", ", widths ?? [])}]"));
            throw new ArgumentException($"expected one or more blocks of one or more positive widths, got [{got}]", nameof(blocks));
        }

        if (!Enum.IsDefined(cut))
        {
            throw new ArgumentOutOfRangeException(nameof(cut), cut, "expected AfterLastPool, AfterLastReLU or BeforeLastReLU");
        }

        using var scope = NewDisposeScope();
        out_channels = blocks[^1][^1];
        features = nn.Sequential(Layers(blocks, batch_norm, pool ?? (_ => nn.MaxPool2d(2)), cut, in_channels, device, dtype));
        foreach (var value in features.parameters().Concat(features.buffers()))
        {
            value.DetachFromDisposeScope();
        }

        RegisterComponents();
        // Layers of others may ask for a view of their input that only one layout has.
        channels_last = features.modules().All(layer => layer.GetType().Assembly is var from && (from == typeof(nn).Assembly || from == typeof(Check).Assembly));
    }

    /// <summary>C, the channels of the output.</summary>
    public long out_channels { get; }

    /// <summary>The features of a batch of images.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map of the backbone's channels, or too small for
    /// its pooling layers.</exception>
    public override Tensor forward(Tensor x)
    {
        var first = features.parameters().First();
        Check.FeatureMap(x, first.size(1));
        Check.LikeParameters(x, first);
        try
        {
            return channels_last && x.device_type == DeviceType.CPU ? ChannelsLast(x) : features.call(x);
        }
        catch (ExternalException e) when (e.Message.Contains("Output size is too small", StringComparison.Ordinal)
            || e.Message.Contains("Kernel size can't be greater", StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"expected an image large enough for the backbone's pooling layers, got {x.size(2)}×{x.size(3)} (H×W)", nameof(x), e);
        }
    }

    // On a CPU convolutions take as long either way, pooling a tenth where the channels of a pixel lie side by side.
    private Tensor ChannelsLast(Tensor x)
    {
        using var scope = NewDisposeScope();
        // One channel is contiguous in both layouts at once: only the strides tell the convolution which is meant.
        var pixels = x.size(1) == 1 ? x.contiguous().view(x.size(0), x.size(2), x.size(3), 1) : x.permute(0, 2, 3, 1).contiguous();
        var y = features.call(pixels.permute(0, 3, 1, 2));
        return y.contiguous().MoveToOuterDisposeScope();
    }

    // ONNX has no layouts, and its exporter takes all devices for equal.
    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            if x.device == torch.device("meta"):
                return self.features.forward(x)
            if self.channels_last and x.device == torch.device("cpu"):
                if x.size(1) == 1:
                    pixels = x.contiguous().view(x.size(0), x.size(2), x.size(3), 1)
                else:
                    pixels = x.permute(0, 2, 3, 1).contiguous()
                return self.features.forward(pixels.permute(0, 3, 1, 2)).contiguous()
            return self.features.forward(x)
        """,
        (nameof(channels_last), channels_last));

    private static List<nn.Module<Tensor, Tensor>> Layers(
        long[][] blocks, bool batch_norm, Func<long, nn.Module<Tensor, Tensor>> pool, VggCut cut, long channels, Device? device, ScalarType? dtype)
    {
        var layers = new List<nn.Module<Tensor, Tensor>>();
        foreach (var widths in blocks)
        {
            foreach (var width in widths)
            {
                Check.Parameter([channels, width, 3, 3], device, dtype, nameof(blocks));
                layers.Add(Convolution(channels, width, device, dtype));
                if (batch_norm)
                {
                    layers.Add(nn.BatchNorm2d(width, device: device, dtype: dtype));
                }

                layers.Add(nn.ReLU(inplace: true));
                channels = width;
            }

            layers.Add(pool(channels) ?? throw new ArgumentException("expected a layer for each block, got null", nameof(pool)));
        }

        var dropped = cut switch { VggCut.BeforeLastReLU => 2, VggCut.AfterLastReLU => 1, _ => 0 };
        layers.RemoveRange(layers.Count - dropped, dropped);
        return layers;
    }

    private static Conv2d Convolution(long channels, long width, Device? device, ScalarType? dtype)
    {
        var conv = nn.Conv2d(channels, width, 3, padding: 1, device: device, dtype: dtype);
        nn.init.kaiming_normal_(conv.weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        nn.init.zeros_(conv.bias!);
        return conv;
    }
}
