using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>How the second-order part of <see cref="NetFV"/> is normalised.</summary>
public enum FisherNormalization
{
    /// <summary>Like the first-order part: each cluster to unit length, then the whole.</summary>
    Intra,

    /// <summary>The whole as one vector, as the published code does.</summary>
    Published,
}

/// <summary>NetFV: a Fisher vector with learned clusters, mean residuals and squared ones.</summary>
/// <remarks>
/// <para>FV1[k] = Σᵢ aₖ(xᵢ)·(xᵢ − cₖ)/σₖ and FV2[k] = Σᵢ aₖ(xᵢ)·(((xᵢ − cₖ)/σₖ)² − 1), by entries; each part normalised by
/// itself, and the two concatenated: entry k·D + d of FV1, then K·D + k·D + d of FV2. The whole has the length √2, as in the
/// published code; <see cref="L2Normalize"/> makes it 1.</para>
/// <para>σ = s² + 10⁻⁶ of the learned s. FV2 comes from three sums, whose difference loses digits where σ ≪ ‖c‖: an error of
/// several ε·c²/σ², ε the rounding of the dtype, in place of ε.</para>
/// <para>The authors' code (LOUPE, Youtube-8M-WILLOW) flattens in the order d·K + k, and assigns by batch norm in place of b. It
/// does not scale descriptors to unit length, as <c>normalize_input</c> does here; Youtube-8M-WILLOW normalises them over the
/// batch, and by default couples c = 0.01·w.</para>
/// <para>Parameters: <c>conv.weight</c> (K, D, 1, 1), <c>conv.bias</c> (K) where there is one, <c>centroids</c> (K, D),
/// <c>covar_weights</c> (K, D) is s.</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, 2·K·D), in the input's dtype.</para>
/// <para>Miech, Laptev, Sivic: Learnable pooling with Context Gating for video classification, 2017.</para>
/// </remarks>
public sealed class NetFV : ClusterPooling
{
    private readonly Parameter centroids;
    private readonly Parameter covar_weights;
    private readonly FisherNormalization normalization;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="normalization">Of the second-order part.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">Whether the assignment has b.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>σ starts as 1; <see cref="ClusterPooling.Initialize"/> sets it to the deviation of each cluster's descriptors, at
    /// least 10⁻³.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive, or
    /// <paramref name="normalization"/> undefined.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public NetFV(
        long num_clusters, long dim, FisherNormalization normalization = FisherNormalization.Intra, bool normalize_input = true,
        bool bias = true, Device? device = null, ScalarType? dtype = null)
        : base(nameof(NetFV), num_clusters, dim, normalize_input, bias, device, dtype)
    {
        pooling.CheckFisherNormalization(normalization);
        this.normalization = normalization;
        centroids = Centers(num_clusters, dim, device, dtype);
        covar_weights = Centers(num_clusters, dim, device, dtype);
        RegisterComponents();
        StartAtRandom();
        using var gradients = no_grad();
        covar_weights.fill_(Held(1));
    }

    /// <inheritdoc/>
    public override long output_length => 2 * centroids.numel();

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor? mask) =>
        pooling.netfv(x, conv!.weight, centroids, covar_weights, conv.bias, normalization, normalize_input, mask);

    private protected override bool NormalizesFirst => true;

    private protected override void SetCentroids(Tensor centers, double alpha) => centroids.copy_(centers);

    private protected override void SetSpread(Tensor points, Tensor centers) =>
        covar_weights.copy_(KMeans.Deviations(points, centers).clamp_min(Held(1e-3)).sqrt());

    private protected override ScriptDefinition Script() => new(
        """
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            points = self.local_descriptors(x, mask)
        """
        + (normalize_input ? "\n    points = points * self.inverse_norm(points, 1)" : "")
        + "\n" +
        """
            share, scaled = self.soft_assignment(points, mask)
            c = self.centroids.to(points.dtype)
            sigma = self.covar_weights.to(points.dtype).square() + 1e-6
            total = share.sum([2], True)
            unit = points.detach().abs().amax([1, 2], True).clamp_min(1.0)
            rows = (points / unit).transpose(1, 2)
            c = c / unit
            first = torch.bmm(share, rows)
            second = torch.bmm(share, rows.square())
            fv1 = self.intra_normalize((first - total * c) / sigma)
            fv2 = (second - 2 * c * first + total * c.square()) / sigma.square() - total / unit.square()
        """
        + (normalization == FisherNormalization.Intra
            ? "\n    fv2 = self.intra_normalize(fv2)"
            : "\n    fv2 = fv2.flatten(1)\n    fv2 = fv2 * self.inverse_norm(fv2, 1)")
        + "\n    return torch.cat([fv1, fv2], 1).to(x.dtype)");
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="NetFV"/>.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="weight">w, shape (K, D, 1, 1) or (K, D).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="covar_weights">s, shape (K, D); σ = s² + 10⁻⁶.</param>
    /// <param name="bias">b, shape (K), or null for 0.</param>
    /// <param name="normalization">Of the second-order part.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, 2·K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="normalization"/> is undefined.</exception>
    public static Tensor netfv(
        Tensor x, Tensor weight, Tensor centroids, Tensor covar_weights, Tensor? bias = null,
        FisherNormalization normalization = FisherNormalization.Intra, bool normalize_input = true, Tensor? mask = null)
    {
        CheckFisherNormalization(normalization);
        ArgumentNullException.ThrowIfNull(centroids);
        CheckClusters(x, weight, centroids, bias, mask);
        Check.Exactly(covar_weights, centroids.shape, nameof(covar_weights));
        Check.LikeParameters(covar_weights, centroids, nameof(covar_weights));
        using var scope = NewDisposeScope();
        var points = local_descriptors(x, mask);
        points = normalize_input ? l2_normalize(points) : points;
        var (share, _) = soft_assignment(points, weight, bias, false, mask);
        var (c, sigma) = (centroids.to(points.dtype), covar_weights.to(points.dtype).Squared().Plus(1e-6));
        var total = share.sum(2, keepdim: true);

        // Measured in units of the image's largest entry, no square overflows; the normalisations take the unit out again.
        var unit = points.detach().abs().amax([1, 2], keepdim: true).clamp_min(Held(1));
        var rows = (points / unit).transpose(1, 2);
        c = c / unit;
        var (first, second) = (share.bmm(rows), share.bmm(rows.Squared()));
        var fv1 = intra_normalize((first - total * c) / sigma);
        var fv2 = (second - Held(2) * c * first).Plus(total * c.Squared()) / sigma.Squared() - total / unit.Squared();
        fv2 = normalization == FisherNormalization.Intra ? intra_normalize(fv2) : l2_normalize(fv2.flatten(1), 1);
        return cat([fv1, fv2], 1).to(x.dtype).MoveToOuterDisposeScope();
    }

    internal static void CheckFisherNormalization(FisherNormalization normalization)
    {
        if (!Enum.IsDefined(normalization))
        {
            throw new ArgumentOutOfRangeException(nameof(normalization), normalization, "expected Intra or Published");
        }
    }
}
