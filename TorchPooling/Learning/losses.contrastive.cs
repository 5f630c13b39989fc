using static TorchSharp.torch;

namespace TorchPooling;

public static partial class losses
{
    /// <summary>The contrastive loss: equal labels attract, different labels repel up to a margin.</summary>
    /// <remarks>
    /// <para>L = mean over all pairs i &lt; j of ½·d² where their labels are equal, else of ½·max(0, margin − d)², d the
    /// Euclidean distance; 0 for fewer than two descriptors. Two equal descriptors of different labels take a gradient of 0,
    /// as no direction parts them.</para>
    /// <para>Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006, eq. 4, whose sum
    /// over the pairs is a mean here, as in Caffe. Other ports leave out the ½, or do not square, or average attracted and
    /// repelled pairs apart.</para>
    /// </remarks>
    /// <param name="x">Descriptors, shape (M, D).</param>
    /// <param name="labels">What each shows, shape (M), int64.</param>
    /// <param name="margin">The distance beyond which different labels no longer repel; positive.</param>
    /// <returns>A scalar, at least float32.</returns>
    /// <exception cref="ArgumentException">A tensor has another shape, dtype or device.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="margin"/> is not positive and finite.</exception>
    public static Tensor contrastive(Tensor x, Tensor labels, double margin = 1)
    {
        CheckLabelled(x, labels);
        pooling.CheckPositive(margin, nameof(margin));
        using var scope = NewDisposeScope();
        var d = distances(x, x);
        var same = labels.unsqueeze(1) == labels;
        var energies = where(same, d, d.rsub(margin).clamp_min(Held(0))).Squared() / Held(2);
        var count = x.size(0);
        return (energies.triu(1).sum() / Held(Math.Max(1, count * (count - 1) / 2))).MoveToOuterDisposeScope();
    }
}
