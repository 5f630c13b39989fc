using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Losses that teach descriptors which pictures belong together, as functions like <c>torch.nn.functional</c>'s.</summary>
/// <remarks>All give a scalar, in float32 where the descriptors are of half precision, and finite gradients for equal
/// vectors and for zero vectors. Distances are sums of squared differences, never differences of products: they are right
/// for vectors of any length, and for near-equal ones. Extra memory is one number for each pair of vectors;
/// on a GPU, libtorch's gradient of the distances takes as many as a vector has for each pair. A row that a mask of positives and
/// one of negatives both name counts as both.</remarks>
public static partial class losses
{
    /// <summary>Euclidean distances of all pairs of rows, (B, M), without the matrix product that loses the digits of small
    /// ones; the gradient at distance 0 is 0.</summary>
    private static Tensor distances(Tensor x, Tensor y) => cdist(
        x.to(Check.AtLeastFloat32(x.dtype)), y.to(Check.AtLeastFloat32(y.dtype)), compute_mode: TorchSharp.compute_mode.donot_use_mm_for_euclid_dist);

    /// <summary>The largest score of a query's positives, (B, 1), and which negatives count: none where it has no positive.</summary>
    private static (Tensor Best, Tensor Negatives) best_positive(Tensor scores, Tensor positives, Tensor negatives)
    {
        var (best, _) = scores.masked_fill(positives.logical_not(), Held(double.NegativeInfinity)).max(1, keepdim: true);
        var any = positives.any(1, keepdim: true);
        return (where(any, best, zeros_like(best)), negatives.logical_and(any));
    }

    private static void CheckTuples(Tensor queries, Tensor database, Tensor positives, Tensor negatives)
    {
        CheckDescriptors(queries, 0, nameof(queries));
        CheckDescriptors(database, 1, nameof(database));
        Check.Matrix(database, 1, queries.size(1), nameof(database));
        Check.Like(database, queries, nameof(database));
        foreach (var (mask, name) in new[] { (positives, nameof(positives)), (negatives, nameof(negatives)) })
        {
            Check.Exactly(mask, [queries.size(0), database.size(0)], name);
            if (mask.dtype != ScalarType.Bool || !Check.SameDevice(mask, queries))
            {
                throw new ArgumentException($"expected Bool on {queries.device}, got {mask.dtype} on {mask.device}", name);
            }
        }
    }

    private static void CheckLabelled(Tensor x, Tensor labels)
    {
        CheckDescriptors(x, 0, nameof(x));
        Check.Exactly(labels, [x.size(0)], nameof(labels));
        if (labels.dtype != ScalarType.Int64 || !Check.SameDevice(labels, x))
        {
            throw new ArgumentException($"expected Int64 on {x.device}, got {labels.dtype} on {labels.device}", nameof(labels));
        }
    }

    private static void CheckDescriptors(Tensor x, long rows, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != 2 || x.size(0) < rows || x.size(1) < 1)
        {
            throw new ArgumentException($"expected descriptors ({(rows > 0 ? "M ≥ 1" : "M")}, D ≥ 1), got {x.dim()} dimensions {Check.Shape(x)}", name);
        }

        Check.FloatingPoint(x, name);
    }
}
