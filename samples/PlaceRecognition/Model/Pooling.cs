using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Model;

/// <summary>A pooling that the sample compares.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Cut">Where the backbone ends for it: NetVLAD takes signed features, as in its paper, the others rectified ones.</param>
/// <param name="Create">From channels and clusters: the layers from a map (N, C, H, W) to descriptors (N, length) of unit length.</param>
internal sealed record Pooling(string Name, VggCut Cut, Func<long, int, nn.Module<Tensor, Tensor>> Create)
{
    public static IReadOnlyList<Pooling> All { get; } =
    [
        new("netvlad", VggCut.BeforeLastReLU, (channels, clusters) => new NetVLAD(clusters, channels)),
        new("spp", VggCut.AfterLastReLU, (_, _) => nn.Sequential(new SpatialPyramidPool2d([1, 2, 4]), new L2Normalize())),
        new("gem", VggCut.AfterLastReLU, (_, _) => nn.Sequential(new GeM2d(), nn.Flatten(), new L2Normalize())),
        new("max", VggCut.AfterLastReLU, (_, _) => nn.Sequential(nn.AdaptiveMaxPool2d([1, 1]), nn.Flatten(), new L2Normalize())),
        new("avg", VggCut.AfterLastReLU, (_, _) => nn.Sequential(nn.AdaptiveAvgPool2d([1, 1]), nn.Flatten(), new L2Normalize())),
    ];

    public static string Names => string.Join(',', All.Select(pooling => pooling.Name));

    public static Pooling Find(string name) => All.FirstOrDefault(pooling => pooling.Name == name)
        ?? throw new UserException($"--pooling: expected some of {Names}, got '{name}'");
}
