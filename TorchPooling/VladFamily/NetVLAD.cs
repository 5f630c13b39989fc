using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>NetVLAD: soft-assigned sums of residuals to K learned cluster centres, one vector for a map of any size.</summary>
/// <remarks>
/// <para>V[k] = Σᵢ aₖ(xᵢ)·(xᵢ − cₖ) over the H·W descriptors xᵢ of a map, aₖ(x) = exp(wₖᵀx + bₖ) / Σₖ′ exp(wₖ′ᵀx + bₖ′);
/// then each V[k] is scaled to unit length, and the flattened vector (entry k·D + d) once more.</para>
/// <para>Computed as two matrix products, Σᵢ aₖxᵢ − cₖΣᵢ aₖ: extra memory is (N, K, H·W), never times D, and on a CPU large batches
/// go through a few images at a time. An all-zero descriptor stays zero and takes a gradient of 0 through its normalisation. The difference of two sums loses digits
/// where all descriptors of a cluster lie much nearer to its centre than the centre to the origin.</para>
/// <para>Parameters, named as in the PyTorch ports: <c>conv.weight</c> (K, D, 1, 1) is w, <c>conv.bias</c> (K) is b where
/// there is one, <c>centroids</c> (K, D) is c; all are trained independently. Weights made for the authors' order d·K + k,
/// a whitening's say, need <see cref="flatten_permutation"/>. Ports differ in their starts, some mistaken (b = −α‖c‖, not
/// squared; α from the numbers of neighbours in place of distances; descriptors clustered before they are normalised; centres
/// stored negated and added): their weights load as they
/// are, negated centres with the sign turned.</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, K·D), in the input's dtype.</para>
/// <para>Arandjelović, Gronat, Torii, Pajdla, Sivic: NetVLAD: CNN Architecture for Weakly Supervised Place Recognition,
/// CVPR 2016, eqs. 3 and 4; without b, the scalar-product form of its authors' experiments.</para>
/// </remarks>
public sealed class NetVLAD : ClusterPooling
{
    private readonly Parameter centroids;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">With b: starts as w = 2α·c, b = −α‖c‖² (the nearest centre). Without, the default: w = α·c/‖c‖ (the
    /// largest scalar product).</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>The centres start as random directions; <see cref="ClusterPooling.Initialize"/> starts them from data.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public NetVLAD(
        long num_clusters, long dim, bool normalize_input = true, bool bias = false, Device? device = null, ScalarType? dtype = null)
        : base(nameof(NetVLAD), num_clusters, dim, normalize_input, bias, device, dtype)
    {
        centroids = Centers(num_clusters, dim, device, dtype);
        RegisterComponents();
        StartAtRandom();
    }

    /// <inheritdoc/>
    public override long output_length => centroids.numel();

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor? mask) =>
        pooling.netvlad(x, conv!.weight, centroids, conv.bias, normalize_input, mask);

    /// <summary>Where each entry of this layer's output, k·D + d, stands in the order d·K + k of the authors' MATLAB code.</summary>
    /// <remarks>A weight that multiplies descriptors of that order, (length, K·D), takes this layer's after
    /// <c>weight.index_select(1, NetVLAD.flatten_permutation(K, D))</c>.</remarks>
    /// <param name="num_clusters">K.</param>
    /// <param name="dim">D.</param>
    /// <returns>Shape (K·D), int64: entry k·D + d is d·K + k.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public static Tensor flatten_permutation(long num_clusters, long dim)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_clusters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        Check.Memory([num_clusters, dim], ScalarType.Int64, nameof(num_clusters), copies: 2);
        using var scope = NewDisposeScope();
        return Indices(num_clusters * dim).view(dim, num_clusters).t().flatten().MoveToOuterDisposeScope();
    }

    private protected override void SetCentroids(Tensor centers, double alpha) => centroids.copy_(centers);

    private protected override bool NormalizesFirst => NormalizesManyFirst;

    private protected override ScriptDefinition Script() => new(
        pooling.pool_clusters_script(NormalizesFirst) +
        """
        def pool(self, points: Tensor, share: Tensor, scaled: Tensor) -> Tensor:
            residuals = self.weighted_sums(points, scaled).addcmul_(share.sum([2], True), self.centroids.to(points.dtype), value=-1)
            return self.intra_normalize(residuals)
        """);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="NetVLAD"/>.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="weight">w, shape (K, D, 1, 1) or (K, D).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="bias">b, shape (K), or null for 0.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor netvlad(
        Tensor x, Tensor weight, Tensor centroids, Tensor? bias = null, bool normalize_input = true, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(centroids);
        CheckClusters(x, weight, centroids, bias, mask);
        return pool_clusters(
            x, weight, bias, normalize_input, mask, (points, share, scaled) => intra_normalize(residuals(points, share, scaled, centroids)));
    }

    /// <summary>Σᵢ shareₖᵢ·(xᵢ − cₖ), (N, K, D).</summary>
    internal static Tensor residuals(Tensor points, Tensor share, Tensor scaled, Tensor centroids) =>
        weighted_sums(points, scaled).addcmul_(share.sum(2, keepdim: true), centroids.to(points.dtype), Held(-1));
}
