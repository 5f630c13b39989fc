using static TorchSharp.torch;

namespace TorchPooling;

public static partial class losses
{
    /// <summary>The multi-similarity loss with its pair mining: every descriptor of the batch is an anchor, and hard pairs
    /// weigh more.</summary>
    /// <remarks>
    /// <para>L = mean over i of log(1 + Σₖ∈Pᵢ exp(−alpha·(Sᵢₖ − lambda))) / alpha + log(1 + Σₖ∈Nᵢ exp(beta·(Sᵢₖ − lambda))) / beta,
    /// S the scalar products; 0 for an empty batch. Pᵢ holds the others of i's label with Sᵢₖ &lt; maxⱼ Sᵢⱼ + epsilon over
    /// the other labels, Nᵢ those of other labels with Sᵢₖ &gt; minⱼ Sᵢⱼ − epsilon over the others of i's label. An anchor
    /// without either kind counts as 0; a large epsilon takes all pairs of the rest.</para>
    /// <para>Wang, Han, Huang, Dong, Scott: Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning, CVPR
    /// 2019: there lambda = 1; the authors' code has lambda = 0.5 and beta = 40, leaves out positives with S &gt; 1 − 1e-5, and
    /// counts an anchor that mining leaves only one kind of pairs as 0. pytorch-metric-learning has the defaults below, scales
    /// to unit length itself, and takes all pairs unless given a miner.</para>
    /// </remarks>
    /// <param name="x">Descriptors of unit length, shape (M, D).</param>
    /// <param name="labels">What each shows, shape (M), int64.</param>
    /// <param name="alpha">How sharply the least similar positives weigh more; positive.</param>
    /// <param name="beta">How sharply the most similar negatives weigh more; positive.</param>
    /// <param name="lambda">The similarity that positives should exceed and negatives not reach.</param>
    /// <param name="epsilon">The margin of the mining; not negative.</param>
    /// <returns>A scalar, at least float32.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape, dtype or device.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range or not finite.</exception>
    public static Tensor multi_similarity(
        Tensor x, Tensor labels, double alpha = 2, double beta = 50, double lambda = 0.5, double epsilon = 0.1)
    {
        CheckLabelled(x, labels);
        pooling.CheckPositive(alpha, nameof(alpha));
        pooling.CheckPositive(beta, nameof(beta));
        Check.Finite(lambda, nameof(lambda));
        Check.NotNegative(epsilon, nameof(epsilon));
        using var scope = NewDisposeScope();
        if (x.size(0) == 0)
        {
            return x.to(Check.AtLeastFloat32(x.dtype)).sum().MoveToOuterDisposeScope();
        }

        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var s = wide.matmul(wide.t());
        var (positives, negatives) = mine_pairs(s.detach(), labels, epsilon);
        var near = log1p_sum_exp((s - Held(lambda)) * Held(-alpha), positives) / Held(alpha);
        var far = log1p_sum_exp((s - Held(lambda)) * Held(beta), negatives) / Held(beta);
        return near.Plus(far).mean().MoveToOuterDisposeScope();
    }

    private static (Tensor Positives, Tensor Negatives) mine_pairs(Tensor s, Tensor labels, double epsilon)
    {
        var same = labels.unsqueeze(1) == labels;
        var others = same.logical_and(eye(s.size(0), dtype: ScalarType.Bool, device: s.device).logical_not());
        var leastPositive = s.masked_fill(others.logical_not(), Held(double.PositiveInfinity)).amin([1], keepdim: true);
        var mostNegative = s.masked_fill(same, Held(double.NegativeInfinity)).amax([1], keepdim: true);
        return (others.logical_and(s < mostNegative.Plus(epsilon)), same.logical_not().logical_and(s > leastPositive - Held(epsilon)));
    }

    /// <summary>log(1 + Σ exp(z)) of each row over the entries of <paramref name="mask"/>, without overflow.</summary>
    private static Tensor log1p_sum_exp(Tensor z, Tensor mask)
    {
        var one = zeros([z.size(0), 1], dtype: z.dtype, device: z.device);   // exp(0)
        return cat([one, z.masked_fill(mask.logical_not(), Held(double.NegativeInfinity))], 1).logsumexp(1);
    }
}
