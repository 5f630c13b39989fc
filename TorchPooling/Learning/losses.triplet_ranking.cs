using static TorchSharp.torch;

namespace TorchPooling;

public static partial class losses
{
    /// <summary>NetVLAD's weakly supervised ranking loss: the nearest potential positive of a query has to be nearer than
    /// every negative.</summary>
    /// <remarks>
    /// <para>L = mean over q of Σⱼ max(0, minᵢ d²(q, pᵢ) + margin − d²(q, nⱼ)), d² the squared Euclidean distance. A query
    /// without positives or without negatives counts as 0, as does an empty batch.</para>
    /// <para>Arandjelović, Gronat, Torii, Pajdla, Sivic: NetVLAD: CNN Architecture for Weakly Supervised Place Recognition,
    /// CVPR 2016, eq. 7 for one query. Its PyTorch ports differ: they use distances that are not squared.</para>
    /// </remarks>
    /// <param name="queries">Descriptors, shape (B, D).</param>
    /// <param name="database">Descriptors, shape (M, D), of the dtype and device of <paramref name="queries"/>.</param>
    /// <param name="positives">Shape (B, M), bool: which rows of <paramref name="database"/> are potential positives of which query.</param>
    /// <param name="negatives">Shape (B, M), bool: which are its negatives. What is neither does not count.</param>
    /// <param name="margin">By how much a negative has to be farther, in squared distance; not negative.</param>
    /// <returns>A scalar, at least float32.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape, dtype or device.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="margin"/> is negative or not finite.</exception>
    public static Tensor triplet_ranking(Tensor queries, Tensor database, Tensor positives, Tensor negatives, double margin = 0.1)
    {
        CheckTuples(queries, database, positives, negatives);
        Check.NotNegative(margin, nameof(margin));
        using var scope = NewDisposeScope();
        var squared = distances(queries, database).Squared();
        var (best, counted) = best_positive(-squared, positives, negatives);
        var violations = where(counted, (best.rsub(margin) - squared).clamp_min(Held(0)), zeros_like(squared));
        return (violations.sum() / Held(Math.Max(1, queries.size(0)))).MoveToOuterDisposeScope();
    }
}
