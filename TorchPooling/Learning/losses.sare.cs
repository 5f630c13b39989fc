using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>How similarity falls with the Euclidean distance d in <see cref="losses.sare"/>.</summary>
public enum SareKernel
{
    /// <summary>exp(−d²).</summary>
    Gaussian,

    /// <summary>1 / (1 + d²).</summary>
    Cauchy,

    /// <summary>exp(−d).</summary>
    Exponential,
}

public static partial class losses
{
    /// <summary>The stochastic attraction-repulsion embedding loss: how improbable it is that a query's match is its nearest
    /// positive, not a negative.</summary>
    /// <remarks>
    /// <para>Joint: L = mean over q of −log( h(q, p) / (h(q, p) + Σⱼ h(q, nⱼ)) ). Independent: L = mean over q of
    /// Σⱼ −log( h(q, p) / (h(q, p) + h(q, nⱼ)) ). h is the kernel, p the nearest positive. A query without positives or
    /// without negatives counts as 0, as does an empty batch.</para>
    /// <para>Liu, Li, Dai: Stochastic Attraction-Repulsion Embedding for Large Scale Image Localization, ICCV 2019. Some ports
    /// put scalar products, divided by a temperature, in the place of −d².</para>
    /// </remarks>
    /// <param name="queries">Descriptors, shape (B, D).</param>
    /// <param name="database">Descriptors, shape (M, D), of the dtype and device of <paramref name="queries"/>.</param>
    /// <param name="positives">Shape (B, M), bool: which rows of <paramref name="database"/> are potential positives of which query.</param>
    /// <param name="negatives">Shape (B, M), bool: which are its negatives. What is neither does not count.</param>
    /// <param name="joint">All negatives of a query compete at once, or each alone.</param>
    /// <param name="kernel">h.</param>
    /// <returns>A scalar, at least float32.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape, dtype or device.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kernel"/> is none of the three.</exception>
    public static Tensor sare(
        Tensor queries, Tensor database, Tensor positives, Tensor negatives, bool joint = true, SareKernel kernel = SareKernel.Gaussian)
    {
        CheckTuples(queries, database, positives, negatives);
        using var scope = NewDisposeScope();
        var scores = log_kernel(distances(queries, database), kernel);
        var (best, counted) = best_positive(scores, positives, negatives);
        var relative = scores - best;
        var loss = joint
            ? log1p_sum_exp(relative, counted)
            : where(counted, relative.logaddexp(zeros_like(relative)), zeros_like(relative));
        return (loss.sum() / Held(Math.Max(1, queries.size(0)))).MoveToOuterDisposeScope();
    }

    private static Tensor log_kernel(Tensor d, SareKernel kernel) => kernel switch
    {
        SareKernel.Gaussian => -d.Squared(),
        SareKernel.Cauchy => -d.Squared().log1p(),
        SareKernel.Exponential => -d,
        _ => throw new ArgumentOutOfRangeException(nameof(kernel), kernel, "expected Gaussian, Cauchy or Exponential"),
    };
}
