using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A layer that turns local descriptors into one vector by K clusters: the VLAD family.</summary>
/// <remarks>
/// <para>Takes maps (N, D, H, W) or sets of descriptors (N, D, M), <see cref="ActionVLAD"/> videos, and with each a mask: the
/// order of the descriptors tells nothing. aₖ(x) = exp(wₖᵀx + bₖ) / Σₖ′ exp(wₖ′ᵀx + bₖ′) where the layer assigns by a 1×1 convolution, named as in the PyTorch
/// ports: <c>conv.weight</c> (K, D, 1, 1) is w, <c>conv.bias</c> (K) is b where there is one.</para>
/// <para>In TorchScript the mask is an optional second argument.</para>
/// </remarks>
public abstract class ClusterPooling : nn.Module<Tensor, Tensor>, IScriptable
{
    /// <summary>The assignment; null where the centres alone assign.</summary>
    private protected readonly Conv2d? conv;

    private protected readonly bool normalize_input;
    private readonly long assigned_clusters;
    private readonly long descriptor_length;

    /// <param name="name">The module's name.</param>
    /// <param name="num_clusters">K.</param>
    /// <param name="dim">D.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">Whether the convolution has b; null for a layer without convolution.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <param name="num_ghosts">Further clusters of the assignment alone.</param>
    private protected ClusterPooling(
        string name, long num_clusters, long dim, bool normalize_input, bool? bias, Device? device, ScalarType? dtype, long num_ghosts = 0)
        : base(name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_clusters);
        ArgumentOutOfRangeException.ThrowIfNegative(num_ghosts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        Check.Parameter([num_ghosts, dim], device, dtype, nameof(num_ghosts));
        Check.Parameter([num_clusters, dim], device, dtype, nameof(num_clusters));
        this.normalize_input = normalize_input;
        (assigned_clusters, descriptor_length) = (num_clusters + num_ghosts, dim);
        if (bias is null)
        {
            return;
        }

        using var scope = NewDisposeScope();   // a Conv2d with a bias leaves a tensor
        conv = nn.Conv2d(dim, assigned_clusters, 1, bias: bias.Value, device: device, dtype: dtype);
        foreach (var parameter in conv.parameters())
        {
            parameter.DetachFromDisposeScope();
        }
    }

    /// <summary>The length of the output of one image.</summary>
    public abstract long output_length { get; }

    /// <summary>The vectors of a batch.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <returns>Shape (N, <see cref="output_length"/>), in the dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or not the dtype and device of the parameters.</exception>
    public override Tensor forward(Tensor x) => forward(x, null);

    /// <summary>The vectors of a batch of which only some descriptors count: images that were padded to one size, say.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <param name="mask">Shape (N, H, W) or (N, M): bool, or a weight ≥ 0 by which a descriptor's contribution is multiplied.
    /// Where it is false or 0, <paramref name="x"/> may hold anything, NaN too. Null: all count once. Weights are not checked:
    /// a negative one takes away, a NaN makes its image's vector NaN.</param>
    /// <returns>Shape (N, <see cref="output_length"/>); zeros for an image whose mask is 0 throughout.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> or <paramref name="mask"/> has another shape, dtype or device.</exception>
    public abstract Tensor forward(Tensor x, Tensor? mask);

    /// <summary>The assignment aₖ(x) of every descriptor, to look at what the clusters stand for.</summary>
    /// <param name="x">Shape (N, D, H, W) or (N, D, M).</param>
    /// <returns>Shape (N, K, H, W) or (N, K, M), at least float32; sums to 1 over K (K + G with ghosts, which come last).</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or not the dtype and device of the parameters.</exception>
    public virtual Tensor assignment(Tensor x)
    {
        Check.Descriptors(x, descriptor_length);
        Check.LikeParameters(x, Parameter);
        using var scope = NewDisposeScope();
        var a = Assign(pooling.local_descriptors(x, null));
        return (x.dim() == 4 ? a.unflatten(2, [x.size(2), x.size(3)]) : a.alias()).MoveToOuterDisposeScope();
    }

    /// <summary>Starts the layer from local descriptors: centres by <see cref="KMeans"/>, and α such that on average the nearest
    /// centre weighs 100 times the second.</summary>
    /// <remarks>α = ln(100) / mean(s₁ − s₂) over the descriptors, s₁ and s₂ the two largest of −‖x − cₖ‖² (with b) or of
    /// xᵀcₖ/‖cₖ‖ (without). <see cref="Vlad"/> takes the centres alone. Memory is that of k-means and one copy more of the
    /// descriptors.</remarks>
    /// <param name="descriptors">Shape (M, D), M ≥ K (K + G with ghosts): local descriptors of many images, as the layer's input would hold them;
    /// of a map (N, D, H, W) <c>x.permute(0, 2, 3, 1).reshape(-1, D)</c>.</param>
    /// <param name="iterations">At most so many rounds of k-means; in mini-batches exactly so many passes.</param>
    /// <param name="seed">The same seed gives the same centres.</param>
    /// <param name="batch_size">Descriptors of a mini-batch of k-means; null for rounds over all.</param>
    /// <returns>α, and what the start was measured to be.</returns>
    /// <exception cref="ArgumentException"><paramref name="descriptors"/> has another shape, fewer than K distinct rows, or
    /// values that are not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or the descriptors lie so near to their centres
    /// that α's weights overflow the layer's dtype.</exception>
    public ClusterStart Initialize(Tensor descriptors, int iterations = 100, int seed = 0, long? batch_size = null)
    {
        Check.Matrix(descriptors, assigned_clusters, descriptor_length, nameof(descriptors));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var points = descriptors.detach().to(Parameter.device).to(Check.AtLeastFloat32(Parameter.dtype));
        points = normalize_input ? pooling.l2_normalize(points) : points;
        var centers = KMeans.Fit(points, assigned_clusters, iterations, seed, batch_size, false, nameof(descriptors));
        var measured = ClusterMeasures.Of(points, centers, ByDistance);
        var alpha = IsHard ? double.PositiveInfinity : Math.Log(100) / measured.Gap;
        set_centroids(centers, IsHard ? 1 : alpha);
        SetSpread(points, centers);
        return new(
            alpha, IsHard ? double.PositiveInfinity : ClusterMeasures.RatioOfWeights(points, assigned_clusters, Assign),
            measured.QuantizationError, measured.UsedClusters, ClusterMeasures.Entropy(points, assigned_clusters, Assign));
    }

    /// <summary>Sets the starting values of all clusters: c, and w and b from it: w = 2α·c, b = −α‖c‖² with b, else w = α·c/‖c‖.</summary>
    /// <param name="centers">Shape (K, D); (K + G, D) with ghosts, which come last.</param>
    /// <param name="alpha">How sharply descriptors are assigned; towards ∞ the assignment becomes hard. Positive.
    /// <see cref="Initialize"/> tells how it is chosen from data.</param>
    /// <exception cref="ArgumentException"><paramref name="centers"/> has another shape, is not floating-point, or has values
    /// that are not finite in the layer's dtype.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is not positive and finite, or so large that it or
    /// the weights overflow the layer's dtype.</exception>
    public void set_centroids(Tensor centers, double alpha)
    {
        Check.Centers(centers, [assigned_clusters, descriptor_length], Parameter.dtype, nameof(centers));
        pooling.CheckPositive(alpha, nameof(alpha));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var c = centers.to(Parameter.device).to(Check.AtLeastFloat32(Parameter.dtype));
        SetAssignment(c, alpha);
        SetCentroids(c, alpha);
    }

    /// <summary>Whether scores are −‖x − c‖², not scalar products with c/‖c‖.</summary>
    private protected virtual bool ByDistance => conv?.bias is not null;

    /// <summary>Whether a descriptor belongs to its nearest centre alone.</summary>
    private protected virtual bool IsHard => false;

    /// <summary>Whether the script form hands normalised descriptors to <c>self.soft_assignment</c>.</summary>
    private protected virtual bool NormalizesFirst => false;

    /// <summary>The same of layers that go through <c>pooling.pool_clusters</c>.</summary>
    private protected bool NormalizesManyFirst => normalize_input && pooling.normalizes_first(assigned_clusters, descriptor_length);

    /// <summary>A parameter whose dtype and device are those of the layer.</summary>
    private protected virtual Tensor Parameter => conv!.weight;

    /// <summary>aₖ of descriptors (N, D, M) that are not yet normalised, shape (N, K, M).</summary>
    private protected virtual Tensor Assign(Tensor points) =>
        pooling.soft_assignment(points, conv!.weight, conv.bias, normalize_input, null).share;

    /// <summary>Takes the centres, (K, D), into the layer's own parameters, where it has such.</summary>
    private protected virtual void SetCentroids(Tensor centers, double alpha)
    {
    }

    /// <summary>Takes how far the descriptors of each cluster spread, where the layer has parameters for that.</summary>
    private protected virtual void SetSpread(Tensor points, Tensor centers)
    {
    }

    /// <summary>The script form's <c>forward(self, x, mask)</c>, over the methods of <see cref="pooling.descriptors_script"/> and
    /// <c>self.soft_assignment(points, mask)</c>.</summary>
    private protected abstract ScriptDefinition Script();

    ScriptDefinition IScriptable.script()
    {
        var own = Script();
        var assign = conv is null ? "" : pooling.soft_assignment_script(normalize_input && !NormalizesFirst, conv.bias is not null);
        return new(own.source + "\n" + assign + pooling.descriptors_script, [.. own.attributes]);
    }

    /// <summary>Room for centres, (K, D).</summary>
    private protected static Parameter Centers(long num_clusters, long dim, Device? device, ScalarType? dtype)
    {
        var centers = new Parameter(zeros(num_clusters, dim, dtype: dtype, device: device));
        centers.DetachFromDisposeScope();
        return centers;
    }

    /// <summary>Random directions as centres, before there is data.</summary>
    private protected void StartAtRandom(double alpha = 10)
    {
        using var scope = NewDisposeScope();
        set_centroids(pooling.l2_normalize(randn(assigned_clusters, descriptor_length, dtype: ScalarType.Float32)), alpha);
    }

    private void SetAssignment(Tensor c, double alpha)
    {
        if (conv is null)
        {
            if (!tensor(alpha, dtype: Parameter.dtype).isfinite().ToBoolean())
            {
                throw new ArgumentOutOfRangeException(nameof(alpha), alpha, $"α overflows {Parameter.dtype}");
            }

            return;
        }

        var w = (conv.bias is null ? pooling.l2_normalize(c) * Held(alpha) : c * Held(2 * alpha)).to(conv.weight.dtype);
        var b = (c.Squared().sum(1) * Held(-alpha)).to(conv.weight.dtype);
        if (!w.isfinite().all().ToBoolean() || (conv.bias is not null && !b.isfinite().all().ToBoolean()))
        {
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, $"the weights overflow {conv.weight.dtype}");
        }

        conv.weight.copy_(w.view_as(conv.weight));
        conv.bias?.copy_(b);
    }
}
