using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>How the sums of <see cref="Vlad"/> are evened out before the whole is scaled to unit length.</summary>
public enum VladNormalization
{
    /// <summary>Each cluster's sum is scaled to unit length (Arandjelović, Zisserman: All about VLAD, CVPR 2013).</summary>
    Intra,

    /// <summary>Each entry v becomes sign(v)·√|v| (Jégou, Chum: Negative evidences and co-occurences in image retrieval, ECCV
    /// 2012; for Fisher vectors Perronnin, Sánchez, Mensink, ECCV 2010).</summary>
    SignedSqrt,

    /// <summary>The sums stay as they are (Jégou, Douze, Schmid, Pérez, CVPR 2010).</summary>
    None,
}

/// <summary>VLAD: sums of residuals to K centres, each descriptor given to its nearest centre alone.</summary>
/// <remarks>
/// <para>V[k] = Σ (xᵢ − cₖ) over the descriptors whose nearest centre is cₖ (of equally near ones the first); then the
/// chosen normalisation, and the flattened vector (entry k·D + d) is scaled to unit length.</para>
/// <para>No gradient flows through the choice of the centre; through the residuals it does, to x and c. The signed square
/// root's slope is infinite at 0; there the gradient is 0.</para>
/// <para>Parameters: <c>centroids</c> (K, D).</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, K·D), in the input's dtype.</para>
/// <para>Jégou, Douze, Schmid, Pérez: Aggregating local descriptors into a compact image representation, CVPR 2010, eq. 1.</para>
/// </remarks>
public sealed class Vlad : ClusterPooling
{
    private readonly Parameter centroids;
    private readonly VladNormalization normalization;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="normalization">How repeated patterns are kept from drowning the rest.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>The centres start as random directions; <see cref="ClusterPooling.Initialize"/> starts them from data.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive, or
    /// <paramref name="normalization"/> undefined.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public Vlad(
        long num_clusters, long dim, VladNormalization normalization = VladNormalization.Intra, bool normalize_input = true,
        Device? device = null, ScalarType? dtype = null)
        : base(nameof(Vlad), num_clusters, dim, normalize_input, null, device, dtype)
    {
        pooling.CheckNormalization(normalization);
        this.normalization = normalization;
        centroids = Centers(num_clusters, dim, device, dtype);
        RegisterComponents();
        StartAtRandom();
    }

    /// <inheritdoc/>
    public override long output_length => centroids.numel();

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor? mask) => pooling.vlad(x, centroids, normalization, normalize_input, mask);

    private protected override bool ByDistance => true;

    private protected override bool IsHard => true;

    private protected override Tensor Parameter => centroids;

    private protected override Tensor Assign(Tensor points) =>
        pooling.hard_assignment(normalize_input ? pooling.l2_normalize(points) : points, centroids);

    private protected override void SetCentroids(Tensor centers, double alpha) => centroids.copy_(centers);

    private protected override ScriptDefinition Script() => new(
        """
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            points = self.local_descriptors(x, mask)
            centroids = self.centroids.to(points.dtype)
        """
        + (normalize_input ? "\n    points = points * self.inverse_norm(points, 1)" : "")
        + "\n" +
        """
            offset = centroids.detach().mean([0], True)
            c = centroids.detach() - offset
            scores = torch.matmul(c, points.detach() - offset.t()) - 0.5 * c.square().sum([1], True)
            share = torch.zeros_like(scores).scatter(1, scores.argmax(1, True), 1.0)
            if mask is not None:
                share = share * mask.flatten(1).unsqueeze(1).to(points.dtype)
            residuals = self.weighted_sums(points, share).addcmul_(share.sum([2], True), centroids, value=-1)
        """
        + normalization switch
        {
            VladNormalization.Intra => "\n    return self.intra_normalize(residuals).to(x.dtype)",
            VladNormalization.SignedSqrt => "\n" +
                """
                    size = residuals.abs()
                    root = torch.where(size > 0, torch.where(size > 0, size, torch.ones_like(size)).sqrt(), torch.zeros_like(size))
                    vlad = (residuals.sign() * root).flatten(1)
                    return (vlad * self.inverse_norm(vlad, 1)).to(x.dtype)
                """,
            _ => "\n    vlad = residuals.flatten(1)\n    return (vlad * self.inverse_norm(vlad, 1)).to(x.dtype)",
        });
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="Vlad"/>.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="normalization">How the sums are evened out.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="normalization"/> is undefined.</exception>
    public static Tensor vlad(
        Tensor x, Tensor centroids, VladNormalization normalization = VladNormalization.Intra, bool normalize_input = true, Tensor? mask = null)
    {
        CheckNormalization(normalization);
        ArgumentNullException.ThrowIfNull(centroids);
        CheckClusters(x, centroids, centroids, null, mask);
        using var scope = NewDisposeScope();
        var points = local_descriptors(x, mask);
        points = normalize_input ? l2_normalize(points) : points;
        var share = hard_assignment(points, centroids);
        share = mask is null ? share : share * flat_mask(mask).to(points.dtype);
        var sums = residuals(points, share, share, centroids);
        var y = normalization switch
        {
            VladNormalization.Intra => intra_normalize(sums),
            VladNormalization.SignedSqrt => l2_normalize(signed_sqrt(sums).flatten(1), 1),
            _ => l2_normalize(sums.flatten(1), 1),
        };
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>1 for the nearest centre, else 0: (N, K, M). The largest xᵀc − ‖c‖²/2 is the smallest distance; x and c from the
    /// mean centre, so that a common offset costs no digits.</summary>
    internal static Tensor hard_assignment(Tensor points, Tensor centroids)
    {
        using var scope = NewDisposeScope();
        var offset = centroids.detach().to(points.dtype).mean([0], keepdim: true);
        var c = centroids.detach().to(points.dtype) - offset;
        var scores = c.matmul(points.detach() - offset.t()) - Held(0.5) * c.Squared().sum(1, keepdim: true);
        var numbers = Indices(c.size(0), device: c.device).unsqueeze(1);
        return (scores.argmax(1, keepdim: true) == numbers).to(points.dtype).MoveToOuterDisposeScope();
    }

    internal static void CheckNormalization(VladNormalization normalization)
    {
        if (!Enum.IsDefined(normalization))
        {
            throw new ArgumentOutOfRangeException(nameof(normalization), normalization, "expected Intra, SignedSqrt or None");
        }
    }

    /// <summary>sign(v)·√|v|, with gradient 0 at 0.</summary>
    private static Tensor signed_sqrt(Tensor v)
    {
        var size = v.abs();
        var root = where(size > Held(0), where(size > Held(0), size, ones_like(size)).sqrt(), zeros_like(size));
        return v.sign() * root;
    }
}
