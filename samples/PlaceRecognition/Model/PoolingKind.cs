using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Model;

/// <summary>The poolings that the sample compares. Their names are those of the command line.</summary>
internal static class PoolingKind
{
    public static IReadOnlyList<string> All { get; } = ["netvlad", "spp", "gem", "max", "avg"];

    /// <summary>The layers from a map (N, C, H, W) to descriptors (N, length) of unit length.</summary>
    public static nn.Module<Tensor, Tensor> Create(string kind, long channels, int clusters) => kind switch
    {
        "netvlad" => new NetVLAD(clusters, channels),
        "spp" => nn.Sequential(new SpatialPyramidPool2d([1, 2, 4]), new L2Normalize()),
        "gem" => nn.Sequential(new GeM2d(), nn.Flatten(), new L2Normalize()),
        "max" => nn.Sequential(nn.AdaptiveMaxPool2d([1, 1]), nn.Flatten(), new L2Normalize()),
        "avg" => nn.Sequential(nn.AdaptiveAvgPool2d([1, 1]), nn.Flatten(), new L2Normalize()),
        _ => throw new UserException($"--pooling: expected some of {string.Join(',', All)}, got '{kind}'"),
    };

    /// <summary>NetVLAD takes signed features, as in its paper; the others the rectified ones.</summary>
    public static VggCut CutOf(string kind) => kind == "netvlad" ? VggCut.BeforeLastReLU : VggCut.AfterLastReLU;
}
