using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>NetRVLAD: soft-assigned sums of the descriptors themselves, NetVLAD without centres.</summary>
/// <remarks>
/// <para>V[k] = Σᵢ aₖ(xᵢ)·xᵢ; then each V[k] is scaled to unit length, and the flattened vector (entry k·D + d) once more.
/// It is <see cref="NetVLAD"/> with c = 0.</para>
/// <para>The authors' code (LOUPE, Youtube-8M-WILLOW) flattens in the order d·K + k, and assigns by batch norm in place of b. It
/// does not scale descriptors to unit length, as <c>normalize_input</c> does here; Youtube-8M-WILLOW normalises them over the
/// batch.</para>
/// <para>Parameters: <c>conv.weight</c> (K, D, 1, 1), <c>conv.bias</c> (K) where there is one.</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, K·D), in the input's dtype.</para>
/// <para>Miech, Laptev, Sivic: Learnable pooling with Context Gating for video classification, 2017.</para>
/// </remarks>
public sealed class NetRVLAD : ClusterPooling
{
    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">Whether the assignment has b.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public NetRVLAD(
        long num_clusters, long dim, bool normalize_input = true, bool bias = true, Device? device = null, ScalarType? dtype = null)
        : base(nameof(NetRVLAD), num_clusters, dim, normalize_input, bias, device, dtype)
    {
        RegisterComponents();
        StartAtRandom();
    }

    /// <inheritdoc/>
    public override long output_length => conv!.weight.numel();

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor? mask) => pooling.netrvlad(x, conv!.weight, conv.bias, normalize_input, mask);

    private protected override bool NormalizesFirst => NormalizesManyFirst;

    private protected override ScriptDefinition Script() => new(
        pooling.pool_clusters_script(NormalizesFirst) +
        """
        def pool(self, points: Tensor, share: Tensor, scaled: Tensor) -> Tensor:
            return self.intra_normalize(self.weighted_sums(points, scaled))
        """);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="NetRVLAD"/>.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="weight">w, shape (K, D, 1, 1) or (K, D).</param>
    /// <param name="bias">b, shape (K), or null for 0.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor netrvlad(Tensor x, Tensor weight, Tensor? bias = null, bool normalize_input = true, Tensor? mask = null)
    {
        CheckClusters(x, weight, null, bias, mask);
        return pool_clusters(x, weight, bias, normalize_input, mask, (points, _, scaled) => intra_normalize(weighted_sums(points, scaled)));
    }
}
