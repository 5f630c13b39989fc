using static TorchSharp.torch;

namespace TorchPooling;

public static partial class losses
{
    /// <summary>FaceNet's triplet loss, on squared distances.</summary>
    /// <remarks>
    /// <para>L = mean over i of max(0, ‖aᵢ − pᵢ‖² − ‖aᵢ − nᵢ‖² + margin); 0 for no triplets. On distances that are not
    /// squared it is <c>torch.nn.functional.triplet_margin_loss</c>.</para>
    /// <para>Schroff, Kalenichenko, Philbin: FaceNet: A Unified Embedding for Face Recognition and Clustering, CVPR 2015,
    /// eq. 3, whose sum over the triplets is a mean here.</para>
    /// </remarks>
    /// <param name="anchors">Descriptors, shape (B, D).</param>
    /// <param name="positives">Of the same, shape, dtype and device as <paramref name="anchors"/>.</param>
    /// <param name="negatives">Of others, shape, dtype and device as <paramref name="anchors"/>.</param>
    /// <param name="margin">By how much the negative has to be farther, in squared distance; not negative.</param>
    /// <returns>A scalar, at least float32.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape, dtype or device.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="margin"/> is negative or not finite.</exception>
    public static Tensor triplet(Tensor anchors, Tensor positives, Tensor negatives, double margin = 0.2)
    {
        CheckDescriptors(anchors, 0, nameof(anchors));
        foreach (var (x, name) in new[] { (positives, nameof(positives)), (negatives, nameof(negatives)) })
        {
            Check.Exactly(x, anchors.shape, name);
            Check.Like(x, anchors, name);
        }

        Check.NotNegative(margin, nameof(margin));
        using var scope = NewDisposeScope();
        var dtype = Check.AtLeastFloat32(anchors.dtype);
        var (a, p, n) = (anchors.to(dtype), positives.to(dtype), negatives.to(dtype));
        var violations = ((a - p).Squared().sum(1) - (a - n).Squared().sum(1)).Plus(margin).clamp_min(Held(0));
        return (violations.sum() / Held(Math.Max(1, anchors.size(0)))).MoveToOuterDisposeScope();
    }
}
