using TorchPooling;
using static TorchSharp.torch;

namespace Stability.Model;

/// <summary>What closes the blocks of a network.</summary>
/// <param name="Description">For the report.</param>
/// <param name="Layer">From the channels to a layer that halves a map.</param>
internal sealed record PoolingKind(string Name, string Description, Func<long, nn.Module<Tensor, Tensor>> Layer)
{
    public static PoolingKind Max { get; } = new("max", "maximum of 2×2", _ => nn.MaxPool2d(2));

    public static PoolingKind Strided { get; } = new("strided convolution", "3×3 filters at every other pixel, batch norm and ReLU: a second convolution for each block, no pooling", StridedConvolution);

    /// <summary>What poolings are compared with: as small a map, of single pixels.</summary>
    public static PoolingKind Single { get; } = new("every other pixel", "the first pixel of 2×2: no pooling", _ => nn.MaxPool2d(1, 2));

    public static IReadOnlyList<PoolingKind> All { get; } =
    [
        Max,
        new("average", "mean of 2×2", _ => nn.AvgPool2d(2)),
        Strided,
        new("overlapping max", "maximum of 3×3 at every other pixel", _ => new OverlappingMaxPool2d(padding: 1)),
        new("max blur", "maximum of 2×2 at every pixel, low-pass, then every other", _ => new MaxBlurPool2d()),
        new("stochastic", "one of 2×2, drawn by its strength; their weighted mean when it is tested", _ => new StochasticPool2d(2)),
        new("L2", "root of the sum of squares of 2×2", _ => new PowerPool2d(2)),
        new("mixed", "maximum and mean of 2×2, mixed as is learned", _ => new MixedPool2d(2)),
        Single,
    ];

    /// <summary>The blocks keep their size.</summary>
    public static PoolingKind None { get; } = new("none", "nothing", _ => nn.Identity());

    private static nn.Module<Tensor, Tensor> StridedConvolution(long channels)
    {
        var conv = nn.Conv2d(channels, channels, 3, stride: 2, padding: 1, bias: false);
        nn.init.kaiming_normal_(conv.weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU(inplace: true));
    }
}
