using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Spatial pyramid pooling: a map of any size becomes one vector of fixed length.</summary>
/// <remarks>
/// <para>For each level n the map is cut into n × n bins and each bin reduced per channel; the levels are concatenated
/// in the order given, each flattened as (C, n, n). A NaN makes the bins that hold it NaN.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C·Σn²), in the input's dtype.</para>
/// <para>He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition,
/// ECCV 2014, section 2.2 (bins), section 2.3 (the rule of <see cref="BinRule.SppNet"/>).</para>
/// </remarks>
public sealed class SpatialPyramidPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Pyramid pyramid;

    /// <param name="levels">Bins a side of each level; 1, 2, 4 where null.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How the map is cut.</param>
    /// <exception cref="ArgumentException"><paramref name="levels"/> is empty, has a level below 1, or has more than 2²⁴ bins
    /// together.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reduction"/> or <paramref name="bins"/> is undefined.</exception>
    public SpatialPyramidPool2d(long[]? levels = null, BinReduction reduction = BinReduction.Max, BinRule bins = BinRule.Adaptive)
        : base(nameof(SpatialPyramidPool2d)) => pyramid = new(2, levels ?? [1, 2, 4], reduction, bins);

    /// <summary>Length of the output for a map of <paramref name="channels"/> channels: C·Σn².</summary>
    public long output_length(long channels) => channels * pyramid.Bins;

    /// <summary>See <see cref="pooling.spatial_pyramid_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pyramid.Of(x);

    ScriptDefinition IScriptable.script() => pyramid.Script();
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="SpatialPyramidPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="levels">Bins a side of each level.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How the map is cut.</param>
    /// <returns>Shape (N, C·Σn²), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="levels"/> is empty, has a
    /// level below 1 or more than 2²⁴ bins together, or the rule of <see cref="BinRule.SppNet"/> does not give n bins for this size.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reduction"/> or <paramref name="bins"/> is undefined.</exception>
    public static Tensor spatial_pyramid_pool2d(
        Tensor x, long[] levels, BinReduction reduction = BinReduction.Max, BinRule bins = BinRule.Adaptive) =>
        new Pyramid(2, levels, reduction, bins).Of(x);
}
