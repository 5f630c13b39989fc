using TorchPooling;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Stability.Model;

/// <summary>Where a network's filters start.</summary>
/// <param name="Sigma">Of the Gaussian that smooths them, in pixels; 0 for independent weights.</param>
internal sealed record Start(double Sigma)
{
    public static Start White { get; } = new(0.0);

    public string Name => Sigma == 0 ? "white" : FormattableString.Invariant($"smooth, σ {Sigma}");
}

/// <summary>A small network: blocks of a convolution of 3×3, batch norm, ReLU and a pooling, and one linear layer.</summary>
/// <remarks>A seed gives all networks the same convolutions in their blocks, of one start, and the same linear layer, whatever their
/// poolings draw.</remarks>
internal sealed class Network : IDisposable
{
    private const int LayersPerBlock = 4;   // convolution, batch norm, ReLU, pooling
    private const int DrawsPerSeed = 100;   // begun anew for each block, and for the linear layer

    /// <summary>Channels of the blocks.</summary>
    public static IReadOnlyList<int> Widths { get; } = [16, 32, 32];

    private readonly VggBackbone backbone;

    /// <param name="side">Of the pictures.</param>
    /// <param name="global">Whether the map is averaged before the linear layer, not flattened.</param>
    public Network(PoolingKind pooling, Start start, int seed, int side, long classes, Device device, bool global = false)
    {
        var draws = (long)seed * DrawsPerSeed;
        Devices.Seed(draws);
        backbone = new([.. Widths.Select(width => new long[] { width })], batch_norm: true, pool: Pooling, in_channels: 1);
        SmoothStart.Apply(backbone, start.Sigma);
        Devices.Seed(++draws);
        using var map = MapOf(backbone, side);
        var features = global ? map.size(1) : map.numel();
        Module = global
            ? nn.Sequential(("features", backbone), ("mean", nn.AdaptiveAvgPool2d([1, 1])), ("flat", nn.Flatten()), ("scores", nn.Linear(features, classes)))
            : nn.Sequential(("features", backbone), ("flat", nn.Flatten()), ("scores", nn.Linear(features, classes)));
        Module.to(device);

        nn.Module<Tensor, Tensor> Pooling(long channels)
        {
            var layer = pooling.Layer(channels);
            Devices.Seed(++draws);
            return layer;
        }
    }

    public Sequential Module { get; }

    public long Parameters => Module.parameters().Sum(weight => weight.numel());

    /// <summary>What is measured, from the pictures to the scores: its name in the report, and that of the module.</summary>
    public static IReadOnlyList<(string Name, string Module)> Layers { get; } =
    [
        ("pictures", stability.Input),
        .. Enumerable.Range(0, Widths.Count).SelectMany(block => new[]
        {
            ($"conv {block + 1}", $"features.features.{LayersPerBlock * block}"),
            ($"ReLU {block + 1}", $"features.features.{(LayersPerBlock * block) + 2}"),
            ($"pool {block + 1}", $"features.features.{(LayersPerBlock * block) + 3}"),
        }),
        ("scores", stability.Output),
    ];

    /// <summary>The filters of a block's convolution.</summary>
    public static Tensor Filters(nn.Module module, int block) =>
        module.named_parameters().Single(item => item.name == $"features.features.{LayersPerBlock * block}.weight").parameter;

    /// <summary>What leaves the first ReLU.</summary>
    public Tensor FirstMap(Tensor images)
    {
        using var scope = NewDisposeScope();
        var x = images.alias();
        foreach (var layer in ((Sequential)backbone.children().Single()).children().Take(LayersPerBlock - 1).Cast<nn.Module<Tensor, Tensor>>())
        {
            x = layer.call(x);
        }

        return x.MoveToOuterDisposeScope();
    }

    public void Dispose() => Module.Dispose();

    private static Tensor MapOf(VggBackbone backbone, int side)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        backbone.eval();
        var map = backbone.call(zeros(1, 1, side, side));
        backbone.train();
        return map.MoveToOuterDisposeScope();
    }
}
