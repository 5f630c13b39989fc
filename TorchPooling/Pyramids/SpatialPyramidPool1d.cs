using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Temporal pyramid pooling: a sequence of any length becomes one vector of fixed length.</summary>
/// <remarks>
/// <para>For each level n the sequence is cut into n bins and each bin reduced per channel; the levels are concatenated in the
/// order given, each flattened as (C, n). A NaN makes the bins that hold it NaN.</para>
/// <para>Shape: input (N, C, L) with L ≥ 1; output (N, C·Σn), in the input's dtype.</para>
/// <para>He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition,
/// ECCV 2014, section 2.2 (bins), section 2.3 (the rule of <see cref="BinRule.SppNet"/>), there for
/// images.</para>
/// </remarks>
public sealed class SpatialPyramidPool1d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Pyramid pyramid;

    /// <param name="levels">Bins of each level; 1, 2, 4 where null.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How the sequence is cut.</param>
    /// <exception cref="ArgumentException"><paramref name="levels"/> is empty, has a level below 1, or has more than 2²⁴ bins
    /// together.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reduction"/> or <paramref name="bins"/> is undefined.</exception>
    public SpatialPyramidPool1d(long[]? levels = null, BinReduction reduction = BinReduction.Max, BinRule bins = BinRule.Adaptive)
        : base(nameof(SpatialPyramidPool1d)) => pyramid = new(1, levels ?? [1, 2, 4], reduction, bins);

    /// <summary>Length of the output for a sequence of <paramref name="channels"/> channels: C·Σn.</summary>
    public long output_length(long channels) => channels * pyramid.Bins;

    /// <summary>See <see cref="pooling.spatial_pyramid_pool1d"/>.</summary>
    public override Tensor forward(Tensor x) => pyramid.Of(x);

    ScriptDefinition IScriptable.script() => pyramid.Script();
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="SpatialPyramidPool1d"/>.</summary>
    /// <param name="x">Sequence, shape (N, C, L).</param>
    /// <param name="levels">Bins of each level.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How the sequence is cut.</param>
    /// <returns>Shape (N, C·Σn), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a sequence, <paramref name="levels"/> is empty, has a
    /// level below 1 or more than 2²⁴ bins together, or the rule of <see cref="BinRule.SppNet"/> does not give n bins for this size.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reduction"/> or <paramref name="bins"/> is undefined.</exception>
    public static Tensor spatial_pyramid_pool1d(
        Tensor x, long[] levels, BinReduction reduction = BinReduction.Max, BinRule bins = BinRule.Adaptive) =>
        new Pyramid(1, levels, reduction, bins).Of(x);
}
