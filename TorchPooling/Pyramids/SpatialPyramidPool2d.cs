using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The statistic that a bin of a pyramid holds.</summary>
public enum BinReduction
{
    /// <summary>The maximum; over ties the first in row-major order takes the gradient.</summary>
    Max,

    /// <summary>The mean.</summary>
    Avg,
}

/// <summary>How a side of length a is cut into n bins.</summary>
public enum BinRule
{
    /// <summary>Bin i covers ⌊i·a/n⌋ … ⌈(i+1)·a/n⌉ − 1, as PyTorch's adaptive pooling: any a, n ≥ 1, bins may overlap.</summary>
    Adaptive,

    /// <summary>Window ⌈a/n⌉ with stride ⌊a/n⌋, as the SPPNet paper trains: only for sizes where that yields n bins.</summary>
    SppNet,
}

/// <summary>Spatial pyramid pooling: a map of any size becomes one vector of fixed length.</summary>
/// <remarks>
/// <para>For each level n the map is cut into n × n bins and each bin reduced per channel; the levels are concatenated
/// in the order given, each flattened as (C, n, n).</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C·Σn²), in the input's dtype.</para>
/// <para>He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition,
/// ECCV 2014, section 2.2 (bins), section 2.3 (the rule of <see cref="BinRule.SppNet"/>).</para>
/// </remarks>
public sealed class SpatialPyramidPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long[] levels;
    private readonly BinReduction reduction;
    private readonly BinRule bins;

    /// <param name="levels">Bins a side of each level; 1, 2, 4 where null.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How the map is cut.</param>
    /// <exception cref="ArgumentException"><paramref name="levels"/> is empty or has a level below 1.</exception>
    public SpatialPyramidPool2d(long[]? levels = null, BinReduction reduction = BinReduction.Max, BinRule bins = BinRule.Adaptive)
        : base(nameof(SpatialPyramidPool2d))
    {
        this.levels = (long[])(levels ?? [1, 2, 4]).Clone();
        this.reduction = reduction;
        this.bins = bins;
        pooling.check_pyramid(this.levels, reduction, bins);
    }

    /// <summary>Length of the output for a map of <paramref name="channels"/> channels: C·Σn².</summary>
    public long output_length(long channels) => channels * levels.Sum(n => n * n);

    /// <summary>See <see cref="pooling.spatial_pyramid_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.spatial_pyramid_pool2d(x, levels, reduction, bins);

    ScriptDefinition IScriptable.script() => new(
        bins == BinRule.Adaptive
            ? $$"""
              def forward(self, x: Tensor) -> Tensor:
                  pyramid: List[Tensor] = []
                  for n in self.levels:
                      pyramid.append({{(reduction == BinReduction.Max ? "torch.adaptive_max_pool2d(x, [n, n])[0]" : "torch.adaptive_avg_pool2d(x, [n, n])")}}.flatten(1))
                  return torch.cat(pyramid, 1)
              """
            : $$"""
              def forward(self, x: Tensor) -> Tensor:
                  pyramid: List[Tensor] = []
                  h = x.size(2)
                  w = x.size(3)
                  for n in self.levels:
                      if h % n > h // n or w % n > w // n or h < n or w < n:
                          ops.prim.RaiseException("the SPPNet rule (window ceil(a/n), stride floor(a/n)) does not give n bins for this map size and level")
                      window = [(h + n - 1) // n, (w + n - 1) // n]
                      pyramid.append(torch.{{(reduction == BinReduction.Max ? "max" : "avg")}}_pool2d(x, window, [h // n, w // n]).flatten(1))
                  return torch.cat(pyramid, 1)
              """,
        (nameof(levels), levels));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="SpatialPyramidPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="levels">Bins a side of each level.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How the map is cut.</param>
    /// <returns>Shape (N, C·Σn²), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="levels"/> is empty or
    /// has a level below 1, or the rule of <see cref="BinRule.SppNet"/> does not give n bins for this size.</exception>
    public static Tensor spatial_pyramid_pool2d(
        Tensor x, long[] levels, BinReduction reduction = BinReduction.Max, BinRule bins = BinRule.Adaptive)
    {
        check_pyramid(levels, reduction, bins);
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        var pyramid = Array.ConvertAll(levels, n => pyramid_level(x, n, reduction, bins).flatten(1));
        return cat(pyramid, 1).MoveToOuterDisposeScope();
    }

    internal static void check_pyramid(long[] levels, BinReduction reduction, BinRule bins)
    {
        ArgumentNullException.ThrowIfNull(levels);
        if (levels.Length == 0 || levels.Min() < 1)
        {
            throw new ArgumentException($"expected one or more levels of at least 1 bin a side, got [{string.Join(", ", levels)}]", nameof(levels));
        }

        if (!Enum.IsDefined(reduction))
        {
            throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "expected Max or Avg");
        }

        if (!Enum.IsDefined(bins))
        {
            throw new ArgumentOutOfRangeException(nameof(bins), bins, "expected Adaptive or SppNet");
        }
    }

    private static Tensor pyramid_level(Tensor x, long n, BinReduction reduction, BinRule bins)
    {
        if (bins == BinRule.Adaptive)
        {
            return reduction == BinReduction.Max
                ? nn.functional.adaptive_max_pool2d(x, [n, n])
                : nn.functional.adaptive_avg_pool2d(x, [n, n]);
        }

        var (h, w) = (x.size(2), x.size(3));
        check_sppnet_rule(h, w, n);
        long[] window = [(h + n - 1) / n, (w + n - 1) / n];
        long[] stride = [h / n, w / n];
        return reduction == BinReduction.Max
            ? nn.functional.max_pool2d(x, window, stride)
            : nn.functional.avg_pool2d(x, window, stride);
    }

    // a = q·n + r: the windows ⌈a/n⌉ at stride q yield n bins exactly where r ≤ q and q ≥ 1.
    private static void check_sppnet_rule(long h, long w, long n)
    {
        if (h < n || w < n || h % n > h / n || w % n > w / n)
        {
            throw new ArgumentException(
                $"the SPPNet rule (window ⌈a/n⌉, stride ⌊a/n⌋) does not cut a {h}×{w} map into {n}×{n} bins: "
                + "take BinRule.Adaptive, which does for every size, or another input size or level", "x");
        }
    }
}
