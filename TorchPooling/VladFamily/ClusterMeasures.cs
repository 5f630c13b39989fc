using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>What centres are to the descriptors that they were found in, measured in blocks of rows.</summary>
/// <param name="Gap">Mean difference of the two best scores of a descriptor; 1 for a single centre.</param>
/// <param name="QuantizationError">Mean squared distance to the nearest centre.</param>
/// <param name="UsedClusters">Share of the centres that are nearest to at least one descriptor.</param>
internal sealed record ClusterMeasures(double Gap, double QuantizationError, double UsedClusters)
{
    /// <param name="points">Shape (M, D).</param>
    /// <param name="centers">Shape (K, D).</param>
    /// <param name="byDistance">Scores are −‖x − c‖², else xᵀc/‖c‖.</param>
    public static ClusterMeasures Of(Tensor points, Tensor centers, bool byDistance)
    {
        using var scope = NewDisposeScope();
        var clusters = centers.size(0);
        var offset = centers.mean([0], keepdim: true);   // a common offset costs no digits
        var (near, directions) = (centers - offset, pooling.l2_normalize(centers));
        var lengths = near.Squared().sum(1);
        var used = zeros(clusters, dtype: ScalarType.Bool, device: points.device);
        double contrast = 0, error = 0;
        foreach (var block in RowBlocks.Of(points, clusters))
        {
            using var step = NewDisposeScope();
            var x = block - offset;
            var distances = addmm(lengths, x, near.t(), beta: 1, alpha: -2).Plus(x.Squared().sum(1, keepdim: true)).clamp_min(Held(0));
            var (nearest, number) = distances.min(1);
            error += nearest.sum(ScalarType.Float64).ToDouble();
            used.index_fill_(0, number, Held(true));
            if (clusters > 1)
            {
                var (best, _) = (byDistance ? -distances : block.matmul(directions.t())).topk(2, dim: 1);
                contrast += (best.select(1, 0) - best.select(1, 1)).sum(ScalarType.Float64).ToDouble();
            }
        }

        var count = points.size(0);
        if (clusters > 1 && !(contrast > 0))
        {
            throw new ArgumentException("expected descriptors that differ: every one is as near to its second centre as to its first", "descriptors");
        }

        return new(clusters > 1 ? contrast / count : 1, error / count, used.sum(ScalarType.Float64).ToDouble() / clusters);
    }

    /// <summary>exp(mean ln(a₁/a₂)) of the two largest weights of a descriptor.</summary>
    public static double RatioOfWeights(Tensor points, long clusters, Func<Tensor, Tensor> assign)
    {
        double sum = 0;
        foreach (var block in RowBlocks.Of(points, clusters))
        {
            using var step = NewDisposeScope();
            var a = assign(block.to(ScalarType.Float64).t().unsqueeze(0))[0];   // where a second weight may be 1e-300
            if (a.size(0) == 1)
            {
                return double.PositiveInfinity;
            }

            var (best, _) = a.clamp_min(Held(1e-300)).log().topk(2, dim: 0);
            sum += (best[0] - best[1]).sum().ToDouble();
        }

        return Math.Exp(sum / points.size(0));
    }

    /// <summary>Entropy of the mean assignment over ln K; 1 for a single cluster.</summary>
    public static double Entropy(Tensor points, long clusters, Func<Tensor, Tensor> assign)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        foreach (var block in RowBlocks.Of(points, clusters))
        {
            using var step = NewDisposeScope();
            var part = assign(block.t().unsqueeze(0)).sum([0, 2], type: ScalarType.Float64);
            sum = (sum is null ? part.alias() : sum.Plus(part)).MoveToOuterDisposeScope();
        }

        var share = sum! / sum!.sum();
        return share.size(0) == 1 ? 1 : -share.xlogy(share).sum().ToDouble() / Math.Log(share.size(0));
    }
}
