using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>NeXtVLAD: descriptors are expanded and cut into groups, and a NetVLAD of short vectors sums over all groups, each
/// as much as its attention says. Made for the frames of a video; a vector of few numbers for many clusters.</summary>
/// <remarks>
/// <para>ẋ = Wₑx + bₑ has λ·D entries, x̃ᵍ is the g-th of G equal parts of it. α_g = σ(w_gᵀẋ + b_g),
/// α_gk = softmax over k of w_gkᵀẋ + b_gk: both see all of ẋ. V[k] = Σᵢ Σ_g α_g·α_gk·(x̃ᵢᵍ − cₖ), and each V[k] is scaled
/// to unit length; flattened, entry k·λD/G + d. The whole is not scaled once more: its length is √K (the square root of the
/// clusters that are not zero), where that of the other layers of the family is 1.</para>
/// <para>Parameters: <c>expansion.weight</c> (λD, D), <c>expansion.bias</c> (λD); <c>attention.weight</c> (G, λD),
/// <c>attention.bias</c> (G); <c>assign.weight</c> (G·K, λD), <c>assign.bias</c> (G·K), row g·K + k; <c>centroids</c>
/// (K, λD/G). The authors' TensorFlow code has no b_gk but batch normalisation in its place, one more of the output, and
/// flattens in the order d·K + k.</para>
/// <para>Shape: input (N, D, H, W) or (N, D, M); output (N, K·λD/G), in the input's dtype. In TorchScript the mask is an
/// optional second argument.</para>
/// <para>Lin, Xiao, Fan: NeXtVLAD: An Efficient Neural Network to Aggregate Frame-level Features for Large-scale Video
/// Classification, ECCV Workshops 2018.</para>
/// </remarks>
public sealed class NeXtVLAD : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Linear expansion;
    private readonly Linear attention;
    private readonly Linear assign;
    private readonly Parameter centroids;
    private readonly long groups;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="expansion">λ.</param>
    /// <param name="groups">G, a divisor of λ·D.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>The centres start as random directions; <see cref="Initialize"/> starts them from data.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    /// <exception cref="ArgumentException">λ·D is no multiple of G, or <paramref name="dtype"/> no floating-point type.</exception>
    public NeXtVLAD(
        long num_clusters, long dim, long expansion = 2, long groups = 8, Device? device = null, ScalarType? dtype = null)
        : base(nameof(NeXtVLAD))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_clusters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expansion);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groups);
        Check.Parameter([expansion, dim, dim], device, dtype, nameof(expansion));
        Check.Parameter([expansion, dim, groups], device, dtype, nameof(groups));
        Check.Parameter([expansion, dim, groups, num_clusters], device, dtype, nameof(num_clusters));
        if (expansion * dim % groups != 0)
        {
            throw new ArgumentException($"expected a divisor of {expansion}·{dim} (expansion·dim), got {groups} groups", nameof(groups));
        }

        using var scope = NewDisposeScope();
        this.groups = groups;
        var expanded = expansion * dim;
        this.expansion = nn.Linear(dim, expanded, device: device, dtype: dtype);
        attention = nn.Linear(expanded, groups, device: device, dtype: dtype);
        assign = nn.Linear(expanded, groups * num_clusters, device: device, dtype: dtype);
        centroids = new Parameter(zeros(num_clusters, expanded / groups, dtype: dtype, device: device));
        RegisterComponents();
        foreach (var parameter in parameters())
        {
            parameter.DetachFromDisposeScope();
        }

        set_centroids(pooling.l2_normalize(randn(num_clusters, expanded / groups, dtype: ScalarType.Float32)), 10);
    }

    /// <summary>The length of the output of one image or video.</summary>
    public long output_length => centroids.numel();

    /// <summary>The vectors of a batch.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <returns>Shape (N, <see cref="output_length"/>), in the dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or not the dtype and device of the parameters.</exception>
    public override Tensor forward(Tensor x) => forward(x, null);

    /// <summary>The vectors of a batch of which only some descriptors count: videos that were padded to one length, say.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="mask">Shape (N, H, W) or (N, M): bool, or a weight ≥ 0 by which a descriptor's contribution is multiplied.
    /// Where it is false or 0, <paramref name="x"/> may hold anything, NaN too. Null: all count once. Weights are not checked:
    /// a negative one takes away, a NaN makes its image's vector NaN.</param>
    /// <returns>Shape (N, <see cref="output_length"/>); zeros for an image whose mask is 0 throughout.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> or <paramref name="mask"/> has another shape, dtype or device.</exception>
    public Tensor forward(Tensor x, Tensor? mask) => pooling.nextvlad(
        x, expansion.weight, attention.weight, assign.weight, centroids, expansion.bias, attention.bias, assign.bias, mask);

    /// <summary>Starts the clusters from local descriptors, as <see cref="ClusterPooling.Initialize"/> does: centres by
    /// <see cref="KMeans"/> of the groups of their expansion, and α such that on average the nearest centre weighs 100 times the
    /// second. Expansion and attention stay as they are.</summary>
    /// <param name="descriptors">Shape (M, D), M·G ≥ K: local descriptors of many images, as the layer's input would hold them.</param>
    /// <param name="iterations">At most so many rounds of k-means; in mini-batches exactly so many passes.</param>
    /// <param name="seed">The same seed gives the same centres.</param>
    /// <param name="batch_size">Groups of a mini-batch of k-means; null for rounds over all.</param>
    /// <returns>α, and what the start was measured to be, on the groups.</returns>
    /// <exception cref="ArgumentException"><paramref name="descriptors"/> has another shape, its groups fewer than K distinct
    /// rows, or it has values that are not finite.</exception>
    public ClusterStart Initialize(Tensor descriptors, int iterations = 100, int seed = 0, long? batch_size = null)
    {
        var (k, length) = (centroids.size(0), centroids.size(1));
        Check.Matrix(descriptors, (k + groups - 1) / groups, expansion.weight.size(1), nameof(descriptors));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var points = descriptors.detach().to(centroids.device).to(Check.AtLeastFloat32(centroids.dtype));
        points = pooling.linear(points, expansion.weight, expansion.bias).reshape(-1, length);
        var centers = KMeans.Fit(points, k, iterations, seed, batch_size, false, nameof(descriptors));
        var measured = ClusterMeasures.Of(points, centers, byDistance: true);
        var alpha = Math.Log(100) / measured.Gap;
        set_centroids(centers, alpha);
        return new(
            alpha, ClusterMeasures.RatioOfWeights(points, k, Assign), measured.QuantizationError, measured.UsedClusters,
            ClusterMeasures.Entropy(points, k, Assign));

        // The first group's weights: at the start, all groups assign alike.
        Tensor Assign(Tensor x) => pooling.soft_assignment(
            x, assign.weight.narrow(0, 0, k).narrow(1, 0, length), assign.bias!.narrow(0, 0, k), false, null).share;
    }

    /// <summary>Sets the starting values of all clusters: c, and from it w_gk = 2α·cₖ at the g-th group of entries and 0
    /// elsewhere, b_gk = −α‖cₖ‖²: each group is assigned to its nearest centre.</summary>
    /// <param name="centers">Shape (K, λD/G).</param>
    /// <param name="alpha">How sharply descriptors are assigned; towards ∞ the assignment becomes hard. Positive.</param>
    /// <exception cref="ArgumentException"><paramref name="centers"/> has another shape, is not floating-point, or has values
    /// that are not finite in the layer's dtype.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is not positive and finite, or so large that the
    /// weights overflow the layer's dtype.</exception>
    public void set_centroids(Tensor centers, double alpha)
    {
        Check.Centers(centers, centroids.shape, centroids.dtype, nameof(centers));
        pooling.CheckPositive(alpha, nameof(alpha));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var c = centers.to(centroids.device).to(Check.AtLeastFloat32(centroids.dtype));
        var w = block_diag([.. Enumerable.Repeat(c * Held(2 * alpha), (int)groups)]).to(centroids.dtype);
        var b = (c.Squared().sum(1) * Held(-alpha)).repeat(groups).to(centroids.dtype);
        if (!w.isfinite().all().ToBoolean() || !b.isfinite().all().ToBoolean())
        {
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, $"the weights overflow {centroids.dtype}");
        }

        assign.weight.copy_(w);
        assign.bias!.copy_(b);
        centroids.copy_(c);
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            points = self.local_descriptors(x, mask)
            n, m, k = points.size(0), points.size(2), self.centroids.size(0)
            expanded = torch.matmul(self.expansion.weight.to(points.dtype), points) + self.expansion.bias.to(points.dtype).unsqueeze(1)
            gates = torch.matmul(self.attention.weight.to(points.dtype), expanded) + self.attention.bias.to(points.dtype).unsqueeze(1)
            gates = gates.sigmoid()
            if mask is not None:
                gates = gates * mask.flatten(1).unsqueeze(1).to(points.dtype)
            logits = torch.matmul(self.assign.weight.to(points.dtype), expanded) + self.assign.bias.to(points.dtype).unsqueeze(1)
            share = logits.view([n, self.groups, k, m]).softmax(2) * gates.unsqueeze(2)
            parts = expanded.view([n * self.groups, self.centroids.size(1), m])
            sums = torch.bmm(share.view([n * self.groups, k, m]), parts.transpose(1, 2))
            sums = sums.view([n, self.groups, k, self.centroids.size(1)]).sum([1])
            residuals = sums - share.sum([1, 3]).unsqueeze(2) * self.centroids.to(points.dtype)
            return (residuals * self.inverse_norm(residuals, 2)).flatten(1).to(x.dtype)

        """ + pooling.descriptors_script,
        (nameof(groups), groups));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="NeXtVLAD"/>: the number of groups follows from the shapes.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="expansion">Wₑ, shape (λD, D).</param>
    /// <param name="attention">w_g, shape (G, λD).</param>
    /// <param name="assign">w_gk, shape (G·K, λD), row g·K + k.</param>
    /// <param name="centroids">c, shape (K, λD/G).</param>
    /// <param name="expansion_bias">bₑ, shape (λD), or null for 0.</param>
    /// <param name="attention_bias">b_g, shape (G), or null for 0.</param>
    /// <param name="assign_bias">b_gk, shape (G·K), or null for 0.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W) or (N, M); null for all.</param>
    /// <returns>Shape (N, K·λD/G), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor nextvlad(
        Tensor x, Tensor expansion, Tensor attention, Tensor assign, Tensor centroids, Tensor? expansion_bias = null,
        Tensor? attention_bias = null, Tensor? assign_bias = null, Tensor? mask = null)
    {
        CheckNeXtVLAD(x, expansion, attention, assign, centroids, expansion_bias, attention_bias, assign_bias);
        Check.Mask(mask, x);
        using var scope = NewDisposeScope();
        var points = local_descriptors(x, mask);
        var expanded = Affine(expansion, points, expansion_bias);
        var gates = Affine(attention, expanded, attention_bias).sigmoid();
        gates = mask is null ? gates : gates * flat_mask(mask).to(points.dtype);
        var (n, m, g, k, length) = (points.size(0), points.size(2), attention.size(0), centroids.size(0), centroids.size(1));
        var share = Affine(assign, expanded, assign_bias).view(n, g, k, m).softmax(2) * gates.unsqueeze(2);
        var sums = share.view(n * g, k, m).bmm(expanded.view(n * g, length, m).transpose(1, 2)).view(n, g, k, length).sum(1);
        var residuals = sums - share.sum([1, 3]).unsqueeze(2) * centroids.to(points.dtype);
        return l2_normalize(residuals, 2).flatten(1).to(x.dtype).MoveToOuterDisposeScope();

        static Tensor Affine(Tensor weight, Tensor columns, Tensor? bias)
        {
            var y = weight.to(columns.dtype).matmul(columns);
            return bias is null ? y : y.Plus(bias.to(columns.dtype).unsqueeze(1));
        }
    }

    private static void CheckNeXtVLAD(
        Tensor x, Tensor expansion, Tensor attention, Tensor assign, Tensor centroids, Tensor? expansion_bias,
        Tensor? attention_bias, Tensor? assign_bias)
    {
        Check.Matrix(expansion, 1, null, nameof(expansion));
        var expanded = expansion.size(0);
        Check.Descriptors(x, expansion.size(1));
        Check.Matrix(attention, 1, expanded, nameof(attention));
        var groups = attention.size(0);
        if (expanded % groups != 0)
        {
            throw new ArgumentException($"expected a number of groups that divides {expanded} (λ·D), got {groups}", nameof(attention));
        }

        Check.Matrix(centroids, 1, expanded / groups, nameof(centroids));
        Check.LikeParameters(x, expansion);
        CheckLinear(expansion, expansion_bias, expanded, expansion.size(1), nameof(expansion), nameof(expansion_bias));
        CheckLinear(attention, attention_bias, groups, expanded, nameof(attention), nameof(attention_bias));
        CheckLinear(assign, assign_bias, groups * centroids.size(0), expanded, nameof(assign), nameof(assign_bias));
        Check.LikeParameters(attention, expansion, nameof(attention));
        Check.LikeParameters(assign, expansion, nameof(assign));
        Check.LikeParameters(centroids, expansion, nameof(centroids));
    }
}
