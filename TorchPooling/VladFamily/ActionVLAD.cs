using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>ActionVLAD: residuals to K centres summed over the space and the time of a video, one vector for any length.</summary>
/// <remarks>
/// <para>V[k] = Σₜ Σᵢ aₖ(xₜᵢ)·(xₜᵢ − cₖ), aₖ(x) = exp(−α‖x − cₖ‖²) / Σₖ′ exp(−α‖x − cₖ′‖²); then each V[k] is scaled to unit
/// length, and the flattened vector (entry k·D + d) once more. The centres assign and are subtracted: c alone is learned, α
/// is fixed. T = 1 is <see cref="NetVLAD"/> with b at its start, w = 2α·c, b = −α‖c‖², before training parts the two. The
/// authors' code trains w, b and c apart, after that start: <see cref="NetVLAD"/> with b, over sets (N, D, T·H·W), holds
/// weights trained so.</para>
/// <para>Parameters: <c>centroids</c> (K, D); buffer <c>alpha</c> ().</para>
/// <para>Shape: input (N, T, D, H, W); output (N, K·D), in the input's dtype.</para>
/// <para>Girdhar, Ramanan, Gupta, Sivic, Russell: ActionVLAD: Learning Spatio-Temporal Aggregation for Action Classification,
/// CVPR 2017, section 3.1 (α = 1000 there).</para>
/// </remarks>
public sealed class ActionVLAD : ClusterPooling
{
    private readonly Parameter centroids;
    private readonly Tensor alpha;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of a frame's map.</param>
    /// <param name="alpha">α, not trained; <see cref="ClusterPooling.Initialize"/> replaces it by what the descriptors ask for.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or α overflows <paramref name="dtype"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public ActionVLAD(
        long num_clusters, long dim, double alpha = 1000, bool normalize_input = true, Device? device = null, ScalarType? dtype = null)
        : base(nameof(ActionVLAD), num_clusters, dim, normalize_input, null, device, dtype)
    {
        pooling.CheckPositive(alpha, nameof(alpha));
        centroids = Centers(num_clusters, dim, device, dtype);
        this.alpha = tensor(alpha, dtype: centroids.dtype, device: centroids.device).DetachFromDisposeScope();
        RegisterComponents();
        StartAtRandom(alpha);
    }

    /// <inheritdoc/>
    public override long output_length => centroids.numel();

    /// <summary>The vectors of a batch of videos.</summary>
    /// <param name="x">Shape (N, T, D, H, W).</param>
    /// <returns>Shape (N, K·D).</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or not the dtype and device of the parameters.</exception>
    public override Tensor forward(Tensor x) => forward(x, null);

    /// <summary>The vectors of a batch of videos, of which only some frames, or positions, count.</summary>
    /// <param name="x">Shape (N, T, D, H, W).</param>
    /// <param name="mask">Shape (N, T) or (N, T, H, W): bool, or a weight ≥ 0. Where it is false or 0, <paramref name="x"/> may
    /// hold anything. Null: all count once.</param>
    /// <returns>Shape (N, K·D).</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> or <paramref name="mask"/> has another shape, dtype or device.</exception>
    public override Tensor forward(Tensor x, Tensor? mask) => pooling.actionvlad(x, centroids, alpha, normalize_input, mask);

    private protected override bool ByDistance => true;

    private protected override Tensor Parameter => centroids;

    private protected override Tensor Assign(Tensor points) =>
        pooling.distance_assignment(normalize_input ? pooling.l2_normalize(points) : points, centroids, alpha);

    private protected override void SetCentroids(Tensor centers, double alpha)
    {
        centroids.copy_(centers);
        this.alpha.fill_(Held(alpha));
    }

    private protected override ScriptDefinition Script() => new(
        """
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            frame_mask = mask
            if mask is not None and mask.dim() == 2:
                frame_mask = mask.unsqueeze(2).expand([x.size(0), x.size(1), x.size(3) * x.size(4)])
            points = self.local_descriptors(x.transpose(1, 2), frame_mask)
        """
        + (normalize_input ? "\n    points = points * self.inverse_norm(points, 1)" : "")
        + "\n" +
        """
            c = self.centroids.to(points.dtype)
            alpha = self.alpha.to(points.dtype)
            weight = (2 * alpha * c).expand([points.size(0), c.size(0), c.size(1)])
            share = torch.baddbmm((-alpha * c.square().sum([1])).unsqueeze(1), weight, points).softmax(1)
            if frame_mask is not None:
                share = share * frame_mask.flatten(1).unsqueeze(1).to(points.dtype)
            residuals = self.weighted_sums(points, share).addcmul_(share.sum([2], True), c, value=-1)
            return self.intra_normalize(residuals).to(x.dtype)
        """);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="ActionVLAD"/>.</summary>
    /// <param name="x">Shape (N, T, D, H, W).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="alpha">α, a single number.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which frames or positions count, or their weights, shape (N, T) or (N, T, H, W); null for all.</param>
    /// <returns>Shape (N, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor actionvlad(Tensor x, Tensor centroids, Tensor alpha, bool normalize_input = true, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(centroids);
        ArgumentNullException.ThrowIfNull(alpha);
        Check.Matrix(centroids, 1, null, nameof(centroids));
        Check.Video(x, centroids.size(1));
        Check.Exactly(alpha, [], nameof(alpha));
        Check.LikeParameters(alpha, centroids, nameof(alpha));
        Check.VideoMask(mask, x);
        using var scope = NewDisposeScope();
        var frames = x.transpose(1, 2).flatten(2);
        var flat = mask is null ? null
            : (mask.dim() == 2 ? mask.unsqueeze(2).expand(x.size(0), x.size(1), x.size(3) * x.size(4)) : mask).flatten(1);
        CheckClusters(frames, centroids, centroids, null, flat);
        var points = local_descriptors(frames, flat);
        points = normalize_input ? l2_normalize(points) : points;
        var share = distance_assignment(points, centroids, alpha);
        share = flat is null ? share : share * flat_mask(flat).to(points.dtype);
        return intra_normalize(residuals(points, share, share, centroids)).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The softmax of −α‖x − cₖ‖² of (N, D, M): ‖x‖² is the same for all k and drops out. One fused product, since large
    /// α makes roundings between the steps count.</summary>
    internal static Tensor distance_assignment(Tensor points, Tensor centroids, Tensor alpha)
    {
        using var scope = NewDisposeScope();
        var (c, a) = (centroids.to(points.dtype), alpha.to(points.dtype));
        var weight = (Held(2) * a * c).expand(points.size(0), c.size(0), c.size(1));
        return weight.baddbmm(points, (-a * c.Squared().sum(1)).unsqueeze(1)).softmax(1).MoveToOuterDisposeScope();
    }
}
