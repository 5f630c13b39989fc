using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>NetVLAD with G further clusters that take descriptors away and give nothing: what tells little, sky or a blurred
/// face, is learned to be left out.</summary>
/// <remarks>
/// <para>aₖ is the softmax over K + G clusters; V[k] = Σᵢ aₖ(xᵢ)·(xᵢ − cₖ) for the first K of them, normalised as in
/// <see cref="NetVLAD"/>. G = 0 is NetVLAD. Ghost clusters need no centres; ports that keep them (VGG-Speaker-Recognition, which
/// does not scale the whole either) have K + G rows in c: the first K are these.</para>
/// <para>Parameters: <c>conv.weight</c> (K + G, D, 1, 1), <c>conv.bias</c> (K + G) where there is one, <c>centroids</c> (K, D).</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, K·D), in the input's dtype.</para>
/// <para>Zhong, Arandjelović, Zisserman: GhostVLAD for Set-based Face Recognition, ACCV 2018, section 3.</para>
/// </remarks>
public sealed class GhostVLAD : ClusterPooling
{
    private readonly Parameter centroids;

    /// <param name="num_clusters">K, the clusters of the output.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="num_ghosts">G, the clusters left out of it.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">As in <see cref="NetVLAD"/>.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks><see cref="ClusterPooling.Initialize"/> finds K + G centres; the last G become the ghosts' w (and b).</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive, or
    /// <paramref name="num_ghosts"/> negative.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public GhostVLAD(
        long num_clusters, long dim, long num_ghosts = 1, bool normalize_input = true, bool bias = false, Device? device = null,
        ScalarType? dtype = null)
        : base(nameof(GhostVLAD), num_clusters, dim, normalize_input, bias, device, dtype, num_ghosts)
    {
        centroids = Centers(num_clusters, dim, device, dtype);
        RegisterComponents();
        StartAtRandom();
    }

    /// <inheritdoc/>
    public override long output_length => centroids.numel();

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor? mask) =>
        pooling.ghostvlad(x, conv!.weight, centroids, conv.bias, normalize_input, mask);

    private protected override void SetCentroids(Tensor centers, double alpha) =>
        centroids.copy_(centers.narrow(0, 0, centroids.size(0)));

    private protected override bool NormalizesFirst => NormalizesManyFirst;

    private protected override ScriptDefinition Script() => new(
        pooling.pool_clusters_script(NormalizesFirst) +
        """
        def pool(self, points: Tensor, share: Tensor, scaled: Tensor) -> Tensor:
            share = share.narrow(1, 0, self.centroids.size(0))
            scaled = scaled.narrow(1, 0, self.centroids.size(0))
            residuals = self.weighted_sums(points, scaled).addcmul_(share.sum([2], True), self.centroids.to(points.dtype), value=-1)
            return self.intra_normalize(residuals)
        """);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="GhostVLAD"/>.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="weight">w, shape (K + G, D, 1, 1) or (K + G, D).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="bias">b, shape (K + G), or null for 0.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor ghostvlad(
        Tensor x, Tensor weight, Tensor centroids, Tensor? bias = null, bool normalize_input = true, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(centroids);
        CheckClusters(x, weight, centroids, bias, mask, clusters: Math.Max(Rows(weight), Rows(centroids)));
        var k = centroids.size(0);
        return pool_clusters(x, weight, bias, normalize_input, mask, (points, share, scaled) =>
            intra_normalize(residuals(points, share.narrow(1, 0, k), scaled.narrow(1, 0, k), centroids)));

        static long Rows(Tensor matrix) => matrix.dim() > 0 ? matrix.size(0) : 0;
    }
}
