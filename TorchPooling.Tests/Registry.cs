using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>One module with settings, as the common suite tests it.</summary>
/// <param name="Name">Shown in test results.</param>
/// <param name="Make">Makes the module, as its constructor starts it.</param>
/// <param name="Channels">Channels of the maps that it takes.</param>
/// <param name="MinSize">The smallest height and width.</param>
/// <param name="TakesAnyChannels">Whether the number of channels is free.</param>
/// <param name="TakesAnyDtype">Whether a layer of a fixed number of channels takes maps of another dtype than its parameters'.</param>
/// <param name="PositionFree">Whether the output does not depend on where in the map a descriptor stands.</param>
/// <param name="IsPooling">Whether it is as exact as a pooling, and no network with the rounding of convolutions or
/// batch norm.</param>
/// <param name="TakesSets">Whether it takes sets of descriptors, too; as the VLAD family does where null.</param>
/// <param name="ExpectsMaps">Whether it refuses what is no feature map; not where it takes any shape, or videos.</param>
/// <param name="IsLocal">Whether it can close the blocks of a backbone: a map of the same channels comes out.</param>
/// <param name="IsStochastic">Whether it draws in training mode, so that gradients can only be checked in eval mode.</param>
/// <param name="SumsPixels">Whether the gradient of a parameter is a sum of pixel values, as a filter's is: it leaves float16 for a map of
/// float16's largest numbers.</param>
public sealed record Case(
    string Name, Func<nn.Module<Tensor, Tensor>> Make, long Channels = 3, long MinSize = 1, bool TakesAnyChannels = true,
    bool TakesAnyDtype = false, bool PositionFree = false, bool IsPooling = true, bool? TakesSets = null, bool ExpectsMaps = true,
    bool IsLocal = false, bool IsStochastic = false, bool SumsPixels = false)
{
    /// <summary>Makes the module with the same parameters every time.</summary>
    public nn.Module<Tensor, Tensor> Create() => Create(0);

    /// <summary>Makes the module with the parameters of a seed.</summary>
    public nn.Module<Tensor, Tensor> Create(long seed)
    {
        var module = Make();
        Seeded.Start(module, seed);
        return module;
    }

    public override string ToString() => Name;
}

/// <summary>Every module of the library with example settings: a new module joins all common tests with one line.</summary>
public static partial class Registry
{
    public static IReadOnlyList<Case> Cases { get; } =
    [
        new("SPP max", () => new SpatialPyramidPool2d()),
        new("SPP avg", () => new SpatialPyramidPool2d([3, 1], BinReduction.Avg)),
        new("SPP sppnet rule", () => new SpatialPyramidPool2d([1, 2], bins: BinRule.SppNet), MinSize: 2),
        new("GeM", () => new GeM2d(), PositionFree: true),
        new("GeM per channel", () => new GeM2d(4, num_channels: 3), TakesAnyChannels: false, TakesAnyDtype: true, PositionFree: true),
        new("MAC", () => new MAC(), PositionFree: true),
        new("SPoC", () => new SPoC(), PositionFree: true),
        new("SPoC with centre prior", () => new SPoC(center_prior: true)),
        new("R-MAC", () => new RMAC()),
        new("CroW", () => new CroW(), PositionFree: true),
        new("LogSumExp", () => new LogSumExp2d(), PositionFree: true),
        new("L2Normalize", () => new L2Normalize(), ExpectsMaps: false),
        new("NetVLAD", () => new NetVLAD(4, 3), TakesAnyChannels: false, PositionFree: true),
        new("NetVLAD with bias", () => new NetVLAD(4, 3, bias: true), TakesAnyChannels: false, PositionFree: true),
        new("NetVLAD of raw descriptors", () => new NetVLAD(2, 3, normalize_input: false), TakesAnyChannels: false, PositionFree: true),
        new("GhostVLAD", () => new GhostVLAD(4, dim: 3, num_ghosts: 2), TakesAnyChannels: false, PositionFree: true),
        new("GhostVLAD with bias", () => new GhostVLAD(3, dim: 3, num_ghosts: 1, normalize_input: false, bias: true), TakesAnyChannels: false, PositionFree: true),
        new("VLAD", () => new Vlad(4, 3), TakesAnyChannels: false, PositionFree: true),
        new("VLAD of raw descriptors, signed square root", () => new Vlad(2, 3, VladNormalization.SignedSqrt, normalize_input: false), TakesAnyChannels: false, PositionFree: true),
        new("VLAD, not evened out", () => new Vlad(3, 3, VladNormalization.None), TakesAnyChannels: false, PositionFree: true),
        new("NetRVLAD", () => new NetRVLAD(4, 3), TakesAnyChannels: false, PositionFree: true),
        new("SoftDBoW", () => new SoftDBoW(4, 3, bias: false), TakesAnyChannels: false, PositionFree: true),
        new("NetFV", () => new NetFV(3, 3), TakesAnyChannels: false, PositionFree: true),
        new("NetFV of raw descriptors, published normalisation", () => new NetFV(2, 3, FisherNormalization.Published, normalize_input: false), TakesAnyChannels: false, PositionFree: true),
        new("ActionVLAD", () => new Frames(new ActionVLAD(3, 3, alpha: 5)), TakesAnyChannels: false, PositionFree: true, ExpectsMaps: false),
        new("PcaWhitening", () => new Positions(new PcaWhitening(3, 2)), TakesAnyChannels: false),
        new("NeXtVLAD", () => new NeXtVLAD(4, 3, 2, 2), TakesAnyChannels: false, PositionFree: true, TakesSets: true),
        new("PatchNetVLAD", () => new PatchNetVLAD(3, 3, [1, 2]), MinSize: 2, TakesAnyChannels: false, TakesSets: false),
        new("PatchNetVLAD with bias and strides", () => new PatchNetVLAD(2, 3, [3, 2], [1, 2], normalize_input: false, bias: true), MinSize: 3, TakesAnyChannels: false, TakesSets: false),
        new("SALAD", () => new Salad(3, 4, 2, hidden: 5, dropout: 0), TakesAnyChannels: false, PositionFree: true, TakesSets: true),
        new("ContextGating", () => new Positions(new ContextGating(3)), TakesAnyChannels: false),
        new("ContextGating with batch norm", () => new Positions(new ContextGating(3, batch_norm: true)), MinSize: 2, TakesAnyChannels: false, IsPooling: false),
        new("VGG", () => new VggBackbone([[4], [6]], cut: VggCut.BeforeLastReLU), MinSize: 2, TakesAnyChannels: false, IsPooling: false),
        new("SppNet", () => new SppNet(new VggBackbone([[4], [5]]), nn.Linear(5 * 5, 2), 4, [1, 2]), MinSize: 4, TakesAnyChannels: false, IsPooling: false),
        new("VGG with batch norm", () => new VggBackbone([[4, 4], [5]], batch_norm: true, pool: _ => nn.AvgPool2d(2)), MinSize: 4, TakesAnyChannels: false, IsPooling: false),
        .. Local,
        .. Filters,
        .. Channels,
        .. Inverse,
        .. Pyramids,
        .. Regions,
        .. LearnedRegions,
    ];

    public static TheoryData<Case> All => new(Cases);
}

/// <summary>Makes a video of two frames from a map, for a layer that takes videos.</summary>
internal sealed class Frames : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> pool;

    public Frames(nn.Module<Tensor, Tensor> pool)
        : base(nameof(Frames))
    {
        this.pool = pool;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return pool.call(stack([x, x.flip(1)], 1)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.pool.forward(torch.stack([x, x.flip([1])], 1))
        """);
}

/// <summary>Hands the descriptors of a map, (N, H·W, C), to a layer that takes descriptors in the last dimension.</summary>
internal sealed class Positions : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> layer;

    public Positions(nn.Module<Tensor, Tensor> layer)
        : base(nameof(Positions))
    {
        this.layer = layer;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Check.FeatureMap(x, 3);
        using var scope = NewDisposeScope();
        return layer.call(x.flatten(2).transpose(1, 2)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.layer.forward(x.flatten(2).transpose(1, 2))
        """);
}

/// <summary>Random starts and inputs from generators of their own: the tests that run beside one draw from the global one.</summary>
internal static class Seeded
{
    /// <summary>Standard normal numbers: the same for the same seed and shape.</summary>
    public static Tensor Normal(long seed, ReadOnlySpan<long> shape, ScalarType dtype = ScalarType.Float32)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, dtype: dtype, generator: generator);
    }

    /// <summary>Draws anew what the constructors draw: weights uniform in ±1/√fan-in, centres in random directions, and
    /// shares, gates and positional embeddings around 0.</summary>
    public static void Start(nn.Module module, long seed)
    {
        using var generator = new Generator((ulong)seed + 100);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Start(module, generator);
    }

    private static void Start(nn.Module module, Generator generator)
    {
        foreach (var child in module.children())
        {
            Start(child, generator);
        }

        var own = module.named_parameters(false).ToDictionary(p => p.name, p => p.parameter);
        if (own.TryGetValue("weight", out var weight) && weight.dim() > 1)
        {
            var bound = Math.Sqrt(weight.size(0) / (double)weight.numel());
            weight.uniform_(-bound, bound, generator);
            if (own.TryGetValue("bias", out var bias))
            {
                bias.uniform_(-bound, bound, generator);
            }
        }

        foreach (var (_, value) in own.Where(p => p.Key is "alpha_logit" or "gates" or "positional_embedding"))
        {
            value.normal_(0, 0.5, generator);
        }

        switch (module)
        {
            case NeXtVLAD layer:
                layer.set_centroids(Directions(own["centroids"]), 10);
                break;
            case ClusterPooling layer:
                var state = layer.state_dict();
                var rows = state.TryGetValue("conv.weight", out var assignment) ? assignment.flatten(1) : own["centroids"];
                layer.set_centroids(Directions(rows), state.TryGetValue("alpha", out var alpha) ? alpha.ToDouble() : 10);
                break;
        }

        Tensor Directions(Tensor like) => pooling.l2_normalize(randn(like.shape, generator: generator));
    }
}
