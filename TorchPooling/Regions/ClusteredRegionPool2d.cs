using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Pooling over regions that each image finds for itself: its strong positions are clustered, and each cluster is pooled.</summary>
/// <remarks>
/// <para>Interesting are the ⌈share·H·W⌉ positions with the largest ‖x[n,:,h,w]‖₂, without those of norm 0; over ties the first in
/// row-major order. Their places, rows and columns each scaled to [0, 1], are clustered by k-means: the first centre is the strongest
/// position, each next one the interesting position farthest from all centres before it, then a fixed number of Lloyd's rounds. Each cluster is a
/// region: the maximum or the mean of every channel over its positions.</para>
/// <para>Regions are ordered by their centres, from the top down, at one height from left to right. An empty one comes last and gives 0
/// without gradient: where an image has fewer interesting positions than regions, or by chance. The same image gives the same
/// regions on every device but for the rounding of norms, whatever batch it is in. No gradient goes through the choice of
/// regions; where NaN stands its norm counts as the largest.</para>
/// <para>Shape: input (N, C, H, W); output (N, C·R), entry c·R + r as <see cref="LearnedRegionPool2d"/>'s, in the input's
/// dtype.</para>
/// <para>Goodfellow, Bengio, Courville: Deep Learning, MIT Press 2016, section 9.3, names pooling over clusters of the locations of
/// interesting features, which gives each image regions of its own.</para>
/// </remarks>
public sealed class ClusteredRegionPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long num_regions;
    private readonly BinReduction reduction;
    private readonly double share;
    private readonly long iterations;

    /// <param name="num_regions">R, 1 to 1024.</param>
    /// <param name="reduction">The statistic of a region.</param>
    /// <param name="share">Which part of the positions counts as interesting, above 0 and at most 1.</param>
    /// <param name="iterations">Lloyd's rounds, 0 to 1000.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting lies outside its range.</exception>
    public ClusteredRegionPool2d(long num_regions, BinReduction reduction = BinReduction.Max, double share = 0.25, long iterations = 10)
        : base(nameof(ClusteredRegionPool2d))
    {
        pooling.CheckClustering(num_regions, reduction, share, iterations);
        (this.num_regions, this.reduction, this.share, this.iterations) = (num_regions, reduction, share, iterations);
    }

    /// <summary>Length of the output for a map of <paramref name="channels"/> channels: C·R.</summary>
    public long output_length(long channels) => channels * num_regions;

    /// <summary>See <see cref="pooling.clustered_region_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.clustered_region_pool2d(x, num_regions, reduction, share, iterations);

    ScriptDefinition IScriptable.script() => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            (strongest, members) = self.find(x.detach())
            points = x.flatten(2).gather(2, strongest.unsqueeze(1).expand([-1, x.size(1), -1]))
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                points = points.float()
            regions: List[Tensor] = []
            for r in range(self.num_regions):
                mine = members.select(1, r).unsqueeze(1)
                others = mine.logical_not()
                {(reduction == BinReduction.Max
                    ? "y = torch.max(points.masked_fill(others, -inf), 2, False)[0]"
                    : "y = points.masked_fill(others, 0.0).sum([2]) / mine.sum([2]).clamp_min(1)")}
                regions.append(y.masked_fill(others.all(2), 0.0))
            return torch.stack(regions, 2).flatten(1).to(x.dtype)

        """ + RegionFinder.Script,
        (nameof(num_regions), num_regions), (nameof(share), share), (nameof(iterations), iterations));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="ClusteredRegionPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="num_regions">R, 1 to 1024.</param>
    /// <param name="reduction">The statistic of a region.</param>
    /// <param name="share">Which part of the positions counts as interesting, above 0 and at most 1.</param>
    /// <param name="iterations">Lloyd's rounds, 0 to 1000.</param>
    /// <returns>Shape (N, C·R), entry c·R + r, in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting lies outside its range, or so many regions of the map do not fit into
    /// memory.</exception>
    public static Tensor clustered_region_pool2d(
        Tensor x, long num_regions, BinReduction reduction = BinReduction.Max, double share = 0.25, long iterations = 10)
    {
        CheckClustering(num_regions, reduction, share, iterations);
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        var (strongest, members) = RegionFinder.Find(x.detach(), num_regions, share, iterations);
        var points = x.flatten(2).gather(2, strongest.unsqueeze(1).expand(-1, x.size(1), -1)).to(Check.AtLeastFloat32(x.dtype));
        var regions = members.unbind(1).Select(mine => Region(points, mine.unsqueeze(1), reduction));
        return stack(regions, 2).flatten(1).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The statistic of the points (N, C, M) that are marked in (N, 1, M); 0 where none is.</summary>
    private static Tensor Region(Tensor points, Tensor mine, BinReduction reduction)
    {
        using var scope = NewDisposeScope();
        var others = mine.logical_not();
        var y = reduction == BinReduction.Max
            ? points.masked_fill(others, Held(double.NegativeInfinity)).max(2).values
            : points.masked_fill(others, Held(0)).sum(dim: 2) / mine.sum(dim: 2).clamp_min(Held(1));
        return y.masked_fill(others.all(2), Held(0)).MoveToOuterDisposeScope();
    }

    internal static void CheckClustering(long num_regions, BinReduction reduction, double share, long iterations)
    {
        Check.Range(num_regions, 1, 1024, nameof(num_regions));
        Check.Range(iterations, 0, 1000, nameof(iterations));
        if (!(share > 0 && share <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "expected a share above 0 and at most 1");
        }

        if (!Enum.IsDefined(reduction))
        {
            throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "expected Max or Avg");
        }
    }
}
