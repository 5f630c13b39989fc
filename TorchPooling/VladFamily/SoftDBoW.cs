using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Soft bag of words: how much of the descriptors belongs to each of K clusters.</summary>
/// <remarks>
/// <para>V[k] = Σᵢ aₖ(xᵢ), scaled to unit length.</para>
/// <para>The authors' code (LOUPE, Youtube-8M-WILLOW) assigns by batch norm in place of b. It does not scale descriptors to unit
/// length, as <c>normalize_input</c> does here; Youtube-8M-WILLOW normalises them over the batch.</para>
/// <para>Parameters: <c>conv.weight</c> (K, D, 1, 1), <c>conv.bias</c> (K) where there is one.</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, K), in the input's dtype.</para>
/// <para>Miech, Laptev, Sivic: Learnable pooling with Context Gating for video classification, 2017.</para>
/// </remarks>
public sealed class SoftDBoW : ClusterPooling
{
    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">Whether the assignment has b.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public SoftDBoW(
        long num_clusters, long dim, bool normalize_input = true, bool bias = true, Device? device = null, ScalarType? dtype = null)
        : base(nameof(SoftDBoW), num_clusters, dim, normalize_input, bias, device, dtype)
    {
        RegisterComponents();
        StartAtRandom();
    }

    /// <inheritdoc/>
    public override long output_length => conv!.weight.size(0);

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor? mask) => pooling.soft_dbow(x, conv!.weight, conv.bias, normalize_input, mask);

    private protected override ScriptDefinition Script() => new(
        """
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            share, scaled = self.soft_assignment(self.local_descriptors(x, mask), mask)
            words = share.sum([2])
            return (words * self.inverse_norm(words, 1)).to(x.dtype)
        """);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="SoftDBoW"/>.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="weight">w, shape (K, D, 1, 1) or (K, D).</param>
    /// <param name="bias">b, shape (K), or null for 0.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, K), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor soft_dbow(Tensor x, Tensor weight, Tensor? bias = null, bool normalize_input = true, Tensor? mask = null)
    {
        CheckClusters(x, weight, null, bias, mask);
        using var scope = NewDisposeScope();
        var (share, _) = soft_assignment(local_descriptors(x, mask), weight, bias, normalize_input, mask);
        return l2_normalize(share.sum(2), 1).to(x.dtype).MoveToOuterDisposeScope();
    }
}
