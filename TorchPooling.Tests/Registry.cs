using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>One module with settings, as the common suite tests it.</summary>
/// <param name="Name">Shown in test results.</param>
/// <param name="Create">Makes the module.</param>
/// <param name="Channels">Channels of the maps that it takes.</param>
/// <param name="MinSize">The smallest height and width.</param>
/// <param name="TakesAnyChannels">Whether the number of channels is free.</param>
/// <param name="TakesSets">Whether it takes sets of descriptors, too; as the VLAD family does where null.</param>
public sealed record Case(
    string Name, Func<nn.Module<Tensor, Tensor>> Create, long Channels = 3, long MinSize = 1, bool TakesAnyChannels = true,
    bool? TakesSets = null)
{
    public override string ToString() => Name;
}

/// <summary>Every module of the library with example settings: a new module joins all common tests with one line.</summary>
public static class Registry
{
    public static IReadOnlyList<Case> Cases { get; } =
    [
        new("SPP max", () => new SpatialPyramidPool2d()),
        new("SPP avg", () => new SpatialPyramidPool2d([3, 1], BinReduction.Avg)),
        new("SPP sppnet rule", () => new SpatialPyramidPool2d([1, 2], bins: BinRule.SppNet), MinSize: 2),
        new("GeM", () => new GeM2d()),
        new("L2Normalize", () => new L2Normalize()),
        new("NetVLAD", () => new NetVLAD(4, 3), TakesAnyChannels: false),
        new("NetVLAD with bias", () => new NetVLAD(4, 3, bias: true), TakesAnyChannels: false),
        new("NetVLAD of raw descriptors", () => new NetVLAD(2, 3, normalize_input: false), TakesAnyChannels: false),
        new("GhostVLAD", () => new GhostVLAD(4, 2, 3), TakesAnyChannels: false),
        new("GhostVLAD with bias", () => new GhostVLAD(3, 1, 3, normalize_input: false, bias: true), TakesAnyChannels: false),
        new("VLAD", () => new Vlad(4, 3), TakesAnyChannels: false),
        new("VLAD of raw descriptors, signed square root", () => new Vlad(2, 3, VladNormalization.SignedSqrt, normalize_input: false), TakesAnyChannels: false),
        new("NeXtVLAD", () => new NeXtVLAD(4, 3, 2, 2), TakesAnyChannels: false, TakesSets: true),
        new("PatchNetVLAD", () => new PatchNetVLAD(3, 3, [1, 2]), MinSize: 2, TakesAnyChannels: false, TakesSets: false),
        new("PatchNetVLAD with bias and strides", () => new PatchNetVLAD(2, 3, [3, 2], [1, 2], normalize_input: false, bias: true), MinSize: 3, TakesAnyChannels: false, TakesSets: false),
        new("SALAD", () => new Salad(3, 4, 2, hidden: 5, dropout: 0), TakesAnyChannels: false, TakesSets: true),
        new("VGG", () => new VggBackbone([[4], [6]], cut: VggCut.BeforeLastReLU), MinSize: 2, TakesAnyChannels: false),
        new("VGG with batch norm", () => new VggBackbone([[4, 4], [5]], batch_norm: true, pool: _ => nn.AvgPool2d(2)), MinSize: 4, TakesAnyChannels: false),
    ];

    public static TheoryData<Case> All => new(Cases);
}
