using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>NetVLAD: soft-assigned sums of residuals to K learned cluster centres, one vector for a map of any size.</summary>
/// <remarks>
/// <para>V[k] = Σᵢ aₖ(xᵢ)·(xᵢ − cₖ) over the H·W descriptors xᵢ of a map, aₖ(x) = exp(wₖᵀx + bₖ) / Σₖ′ exp(wₖ′ᵀx + bₖ′);
/// then each V[k] is scaled to unit length, and the flattened vector (entry k·D + d) once more.</para>
/// <para>Computed as two matrix products, Σᵢ aₖxᵢ − cₖΣᵢ aₖ: extra memory is (N, K, H·W), never times D. An all-zero
/// descriptor stays zero and takes a gradient of 0 through its normalisation. The difference of two sums loses digits
/// where all descriptors of a cluster lie much nearer to its centre than the centre to the origin.</para>
/// <para>Parameters, named as in the PyTorch ports: <c>conv.weight</c> (K, D, 1, 1) is w, <c>conv.bias</c> (K) is b where
/// there is one, <c>centroids</c> (K, D) is c; all are trained independently.</para>
/// <para>Shape: input (N, D, H, W); output (N, K·D), in the input's dtype.</para>
/// <para>Arandjelović, Gronat, Torii, Pajdla, Sivic: NetVLAD: CNN Architecture for Weakly Supervised Place Recognition,
/// CVPR 2016, eqs. 3 and 4; without b, the scalar-product form of its authors' experiments.</para>
/// </remarks>
public sealed class NetVLAD : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Conv2d conv;
    private readonly Parameter centroids;
    private readonly bool normalize_input;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">With b: starts as w = 2α·c, b = −α‖c‖² (the nearest centre). Without: w = α·c/‖c‖ (the largest
    /// scalar product).</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>The centres start as random directions; <see cref="Initialize"/> starts them from data.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public NetVLAD(
        long num_clusters, long dim, bool normalize_input = true, bool bias = false, Device? device = null, ScalarType? dtype = null)
        : base(nameof(NetVLAD))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_clusters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        Check.ParameterType(dtype);
        using var scope = NewDisposeScope();
        this.normalize_input = normalize_input;
        conv = nn.Conv2d(dim, num_clusters, 1, bias: bias, device: device, dtype: dtype);
        var directions = pooling.l2_normalize(randn(num_clusters, dim, dtype: ScalarType.Float32));
        centroids = new Parameter(directions.to(conv.weight.dtype).to(conv.weight.device).MoveToOuterDisposeScope());
        centroids.DetachFromDisposeScope();
        foreach (var parameter in conv.parameters())
        {
            parameter.DetachFromDisposeScope();
        }

        RegisterComponents();
        set_centroids(directions, alpha: 10);
    }

    /// <summary>See <see cref="pooling.netvlad"/>.</summary>
    public override Tensor forward(Tensor x) =>
        pooling.netvlad(x, conv.weight, centroids, conv.bias, normalize_input);

    /// <summary>The soft assignment aₖ(x) of every position, to look at what the clusters stand for.</summary>
    /// <param name="x">Feature map, shape (N, D, H, W).</param>
    /// <returns>Shape (N, K, H, W), at least float32; sums to 1 over K.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no map of the layer's D channels, dtype and device.</exception>
    public Tensor assignment(Tensor x) => pooling.netvlad_assignment(x, conv.weight, centroids, conv.bias, normalize_input);

    /// <summary>Starts the layer from local descriptors: centres by k-means, and α such that on average the nearest
    /// centre weighs 100 times the second.</summary>
    /// <remarks>α = ln(100) / mean(s₁ − s₂) over the descriptors, s₁ and s₂ the two largest of −‖x − cₖ‖² (with b) or of
    /// xᵀcₖ/‖cₖ‖ (without).</remarks>
    /// <param name="descriptors">Shape (M, D), M ≥ K: local descriptors of many images, as the layer's input would hold them.</param>
    /// <param name="iterations">At most so many rounds of k-means.</param>
    /// <param name="seed">The same seed gives the same centres.</param>
    /// <returns>α.</returns>
    /// <exception cref="ArgumentException"><paramref name="descriptors"/> has another shape, fewer than K distinct rows, or
    /// values that are not finite.</exception>
    public double Initialize(Tensor descriptors, int iterations = 100, int seed = 0)
    {
        Check.Matrix(descriptors, centroids.size(0), centroids.size(1), nameof(descriptors));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var points = descriptors.detach().to(centroids.device).to(Check.AtLeastFloat32(centroids.dtype));
        points = normalize_input ? pooling.l2_normalize(points) : points;
        var centers = KMeans.Fit(points, centroids.size(0), iterations, seed);
        var alpha = Math.Log(100) / Contrast(points, centers);
        set_centroids(centers, alpha);
        return alpha;
    }

    /// <summary>Sets c, and w and b from it: w = 2α·c, b = −α‖c‖² with b, else w = α·c/‖c‖.</summary>
    /// <param name="centers">Shape (K, D).</param>
    /// <param name="alpha">How sharply descriptors are assigned; towards ∞ the layer becomes hard VLAD. Positive.</param>
    /// <exception cref="ArgumentException"><paramref name="centers"/> has another shape, is not floating-point, or has values
    /// that are not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is not positive and finite, or so large that the
    /// weights overflow the layer's dtype.</exception>
    public void set_centroids(Tensor centers, double alpha)
    {
        Check.Exactly(centers, centroids.shape, nameof(centers));
        Check.FloatingPoint(centers, nameof(centers));
        pooling.CheckPositive(alpha, nameof(alpha));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (!centers.isfinite().all().ToBoolean())
        {
            throw new ArgumentException("expected finite centres, got NaN or infinity among them", nameof(centers));
        }

        var c = centers.to(centroids.device).to(Check.AtLeastFloat32(centroids.dtype));
        var w = (conv.bias is null ? pooling.l2_normalize(c) * alpha : c * (2 * alpha)).to(centroids.dtype);
        var b = (c.square().sum(1) * -alpha).to(centroids.dtype);
        if (!w.isfinite().all().ToBoolean() || (conv.bias is not null && !b.isfinite().all().ToBoolean()))
        {
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, $"the weights overflow {centroids.dtype}");
        }

        centroids.copy_(c);
        conv.weight.copy_(w.view_as(conv.weight));
        conv.bias?.copy_(b);
    }

    /// <summary>Mean distance of the two best scores of a descriptor, as <see cref="Initialize"/> defines them.</summary>
    private double Contrast(Tensor points, Tensor centers)
    {
        if (centers.size(0) == 1)
        {
            return 1;   // one cluster takes all, whatever α
        }

        var scores = conv.bias is null
            ? points.matmul(pooling.l2_normalize(centers).t())
            : -KMeans.SquaredDistances(points, centers);
        var (best, _) = scores.topk(2, dim: 1);
        var contrast = (best.select(1, 0) - best.select(1, 1)).mean().ToDouble();
        return contrast > 0
            ? contrast
            : throw new ArgumentException("expected descriptors that differ: every one is as near to its second centre as to its first", "descriptors");
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            points = x.flatten(2)
            weight = self.conv.weight.flatten(1)
            centroids = self.centroids
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                points = points.float()
                weight = weight.float()
                centroids = centroids.float()
            logits = torch.matmul(weight, points)
            scale = torch.ones([1], dtype=points.dtype, device=points.device)
            if self.normalize_input:
                scale = self.inverse_norm(points, 1)
                logits = logits * scale
        """
        + (conv.bias is null ? "" : "\n    logits = logits + self.conv.bias.to(points.dtype).unsqueeze(1)")
        + "\n" +
        """
            assignment = logits.softmax(1)
            residuals = torch.bmm(assignment * scale, points.transpose(1, 2)) - assignment.sum([2], True) * centroids
            vlad = (residuals * self.inverse_norm(residuals, 2)).flatten(1)
            return (vlad * self.inverse_norm(vlad, 1)).to(x.dtype)

        """
        + pooling.inverse_norm_script,
        (nameof(normalize_input), normalize_input));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="NetVLAD"/>.</summary>
    /// <param name="x">Feature map, shape (N, D, H, W).</param>
    /// <param name="weight">w, shape (K, D, 1, 1) or (K, D).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="bias">b, shape (K), or null for 0.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <returns>Shape (N, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor netvlad(Tensor x, Tensor weight, Tensor centroids, Tensor? bias = null, bool normalize_input = true)
    {
        CheckNetVLAD(x, weight, centroids, bias);
        using var scope = NewDisposeScope();
        var dtype = Check.AtLeastFloat32(x.dtype);
        var points = x.flatten(2).to(dtype);
        var assignment = soft_assignment(points, weight.flatten(1).to(dtype), bias?.to(dtype), normalize_input, out var scale);

        // The input's normalisation is folded into the weights: no normalised copy of the map is written.
        var weights = scale is null ? assignment : assignment * scale;
        var residuals = weights.bmm(points.transpose(1, 2)) - assignment.sum(2, keepdim: true) * centroids.to(dtype);
        var vlad = l2_normalize(residuals, 2).flatten(1);
        return l2_normalize(vlad, 1).to(x.dtype).MoveToOuterDisposeScope();
    }

    internal static Tensor netvlad_assignment(Tensor x, Tensor weight, Tensor centroids, Tensor? bias, bool normalize_input)
    {
        CheckNetVLAD(x, weight, centroids, bias);
        using var scope = NewDisposeScope();
        var dtype = Check.AtLeastFloat32(x.dtype);
        return soft_assignment(x.flatten(2).to(dtype), weight.flatten(1).to(dtype), bias?.to(dtype), normalize_input, out _)
            .unflatten(2, [x.size(2), x.size(3)]).MoveToOuterDisposeScope();
    }

    /// <summary>aₖ of every descriptor of (N, D, M), shape (N, K, M); <paramref name="scale"/> is 1/‖x‖, (N, 1, M), where
    /// the input is normalised.</summary>
    private static Tensor soft_assignment(Tensor points, Tensor weight, Tensor? bias, bool normalize_input, out Tensor? scale)
    {
        var logits = weight.matmul(points);
        scale = normalize_input ? inverse_norm(points, 1) : null;
        logits = scale is null ? logits : logits * scale;
        logits = bias is null ? logits : logits + bias.unsqueeze(1);
        return logits.softmax(1);
    }

    private static void CheckNetVLAD(Tensor x, Tensor weight, Tensor centroids, Tensor? bias)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(centroids);
        if (centroids.dim() != 2)
        {
            throw new ArgumentException($"expected centres (K, D), got {centroids.dim()} dimensions {Check.Shape(centroids)}", nameof(centroids));
        }

        Check.FloatingPoint(centroids, nameof(centroids));
        var (k, d) = (centroids.size(0), centroids.size(1));
        Check.Exactly(weight, weight.dim() == 4 ? [k, d, 1, 1] : [k, d], nameof(weight));
        Check.FeatureMap(x, d);
        Check.LikeParameters(x, centroids);
        Check.LikeParameters(weight, centroids, nameof(weight));
        if (bias is not null)
        {
            Check.Exactly(bias, [k], nameof(bias));
            Check.LikeParameters(bias, centroids, nameof(bias));
        }
    }
}
