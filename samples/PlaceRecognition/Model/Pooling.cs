using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Model;

/// <summary>A pooling that the sample compares.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Cut">Where the backbone ends for it: the VLAD family takes signed features, as in the NetVLAD paper, the others rectified ones.</param>
/// <param name="Create">From channels and clusters: the layers from a map (N, C, H, W) to descriptors (N, length) of unit length.</param>
/// <param name="LooksTwice">Whether the nearest pictures are ordered anew by their patches.</param>
internal sealed record Pooling(string Name, VggCut Cut, Func<long, int, nn.Module<Tensor, Tensor>> Create, bool LooksTwice = false)
{
    /// <summary>Ghost clusters for so many of the output: K = 8, G = 2 of its authors' voice recognition.</summary>
    private const int ClustersOfGhost = 4;

    public static IReadOnlyList<Pooling> All { get; } =
    [
        Signed("netvlad", (channels, clusters) => new NetVLAD(clusters, channels)),
        Signed("patchnetvlad", (channels, clusters) => new NetVLAD(clusters, channels)) with { LooksTwice = true },
        Signed("netvlad-gated", (channels, clusters) =>
            nn.Sequential(new NetVLAD(clusters, channels), new ContextGating(clusters * channels), new L2Normalize())),
        Signed("ghostvlad", (channels, clusters) => new GhostVLAD(clusters, channels, num_ghosts: Math.Max(1, clusters / ClustersOfGhost))),
        Signed("actionvlad", (channels, clusters) => new OneFrame(new ActionVLAD(clusters, channels))),
        Signed("vlad", (channels, clusters) => new Vlad(clusters, channels)),
        Signed("netrvlad", (channels, clusters) => new NetRVLAD(clusters, channels)),
        Signed("softdbow", (channels, clusters) => new SoftDBoW(clusters, channels)),
        Signed("netfv", (channels, clusters) => nn.Sequential(new NetFV(clusters, channels), new L2Normalize())),
        Signed("nextvlad", (channels, clusters) => nn.Sequential(new NeXtVLAD(clusters, channels), new L2Normalize())),
        Signed("salad", (channels, clusters) => new Salad(channels, clusters, channels, hidden: 2 * channels)),
        Rectified("spp", _ => new SpatialPyramidPool2d([1, 2, 4])),
        Rectified("gem", _ => new GeM2d()),
        Rectified("gem-channels", channels => new GeM2d(num_channels: channels)),
        Rectified("lse", _ => new LogSumExp2d()),
        Rectified("rmac", _ => new RMAC()),
        Rectified("crow", _ => new CroW()),
        Rectified("spoc", _ => new SPoC(center_prior: true)),
        Rectified("mac", _ => new MAC()),
        Rectified("max", _ => nn.AdaptiveMaxPool2d([1, 1])),
        Rectified("avg", _ => nn.AdaptiveAvgPool2d([1, 1])),
    ];

    /// <summary>What is compared where nothing else is asked for.</summary>
    public static IReadOnlyList<string> Default { get; } = ["netvlad", "spp", "gem", "max", "avg"];

    public static string Names => string.Join(',', All.Select(pooling => pooling.Name));

    public static Pooling Find(string name) => All.FirstOrDefault(pooling => pooling.Name == name)
        ?? throw new UserException($"--pooling: expected some of {Names}, got '{name}'");

    /// <summary>The names in a list with commas; those of all poolings for <c>all</c>.</summary>
    public static string[] Parse(string list) => list == "all"
        ? [.. All.Select(pooling => pooling.Name)]
        : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static Pooling Signed(string name, Func<long, int, nn.Module<Tensor, Tensor>> create) =>
        new(name, VggCut.BeforeLastReLU, create);

    private static Pooling Rectified(string name, Func<long, nn.Module<Tensor, Tensor>> create) =>
        new(name, VggCut.AfterLastReLU, (channels, _) => nn.Sequential(create(channels), nn.Flatten(), new L2Normalize()));
}
