using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace MultiScale.Model;

/// <summary>A way from the backbone's map to the classes, and the sizes that it learns from.</summary>
/// <param name="FixedSize">Whether it takes pictures of one size alone, so that others are resized to it.</param>
/// <param name="SeveralSizes">Whether it learns from several sizes.</param>
/// <param name="Create">From the backbone and the number of classes to the network.</param>
internal sealed record Method(
    string Name, string Description, bool FixedSize, bool SeveralSizes, Func<VggBackbone, long, nn.Module<Tensor, Tensor>> Create)
{
    /// <summary>The size of the networks that learn from one.</summary>
    public const int OneSize = 28;

    /// <summary>Pixels of a picture per pixel of the map, a side: two poolings.</summary>
    public const int Stride = 4;

    /// <summary>The pyramid's network, trained at one size.</summary>
    public const string OfOneSize = "SPP, one size";

    /// <summary>The same network, trained at several sizes: it is exported, and searches scenes.</summary>
    public const string OfSeveralSizes = "SPP, several sizes";

    private const int MapSide = OneSize / Stride;

    private static readonly long[] Levels = [1, 2, 4];

    /// <summary>The backbone's widths: the block after the second pooling is the last.</summary>
    public static long[][] Blocks => [[16], [32], [64, 64]];

    public static IReadOnlyList<Method> All { get; } =
    [
        new("flatten", "the map as it is, one weight for each of its numbers", true, false, (backbone, classes) =>
            nn.Sequential(backbone, nn.Flatten(), nn.Linear(backbone.out_channels * MapSide * MapSide, classes))),
        new("global average", "the mean of each channel", false, false, (backbone, classes) =>
            nn.Sequential(backbone, nn.AdaptiveAvgPool2d([1, 1]), nn.Flatten(), nn.Linear(backbone.out_channels, classes))),
        new("global max", "the maximum of each channel", false, false, (backbone, classes) =>
            nn.Sequential(backbone, nn.AdaptiveMaxPool2d([1, 1]), nn.Flatten(), nn.Linear(backbone.out_channels, classes))),
        new(OfOneSize, "maxima of 1, 4 and 16 bins", false, false, Pyramid),
        new(OfSeveralSizes, "maxima of 1, 4 and 16 bins", false, true, Pyramid),
    ];

    /// <summary>The network before training; all methods start with the same backbone.</summary>
    public nn.Module<Tensor, Tensor> Network(long classes, int seed, Device device)
    {
        Devices.Seed(seed);
        var network = Create(Backbone(), classes);
        network.to(device);
        return network;
    }

    /// <summary>The pyramid's network, with its map for regions.</summary>
    public static SppNet Pyramid(VggBackbone backbone, long classes) =>
        new(backbone, nn.Linear(backbone.out_channels * Levels.Sum(n => n * n), classes), Stride, Levels);

    public static VggBackbone Backbone() => new(Blocks, batch_norm: true, cut: VggCut.AfterLastReLU, in_channels: 1);
}
