using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Shortens descriptors by principal components of equal variance: the last step of NetVLAD and of most retrieval descriptors.</summary>
/// <remarks>
/// <para>y = z / ‖z‖, z = W·x + b, with W = diag(λ + ε)^(−1/2)·Uᵀ and b = −W·mean from <see cref="Fit"/>:
/// λ and U are the largest eigenvalues of the descriptors' covariance and their eigenvectors.</para>
/// <para>Parameters: <c>weight</c> (out, in) is W and <c>bias</c> (out) is b, those of a <c>Linear</c>, trained with the network
/// or frozen. Ports that keep a 1×1 convolution instead (<c>WPCA.0.weight</c>, <c>pca_layer.weight</c>) store W as
/// (out, in, 1, 1): <c>flatten(1)</c> gives this form. A W made for descriptors of the authors' order d·K + k needs
/// <see cref="NetVLAD.flatten_permutation"/>.</para>
/// <para>Shape: input (N, in) or (N, P, in); output (N, out) or (N, P, out), in the input's dtype.</para>
/// <para>Jégou, Chum: Negative Evidences and Co-occurrences in Image Retrieval: the Benefit of PCA and Whitening, ECCV 2012;
/// Arandjelović et al.: NetVLAD, CVPR 2016, section 5.</para>
/// </remarks>
public sealed class PcaWhitening : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    /// <param name="in_features">The length of a descriptor.</param>
    /// <param name="out_features">The number of components kept.</param>
    /// <param name="device">Where the parameters live, and where the fit is computed; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <remarks>W starts at random, uniform in ±1/√in, with b = 0; <c>Fit</c> starts it from data.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A length is not positive, or <paramref name="out_features"/> exceeds
    /// <paramref name="in_features"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public PcaWhitening(long in_features, long out_features, Device? device = null, ScalarType? dtype = null)
        : base(nameof(PcaWhitening))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(in_features);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(out_features);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(out_features, in_features);
        Check.Parameter([out_features, in_features], device, dtype, nameof(in_features));
        weight = new Parameter(empty(out_features, in_features, dtype: dtype, device: device));
        bias = new Parameter(zeros(out_features, dtype: dtype, device: device));
        weight.DetachFromDisposeScope();
        bias.DetachFromDisposeScope();
        RegisterComponents();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        weight.uniform_(-1 / Math.Sqrt(in_features), 1 / Math.Sqrt(in_features));
    }

    /// <summary>See <see cref="pooling.pca_whitening"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.pca_whitening(x, weight, bias);

    /// <summary>Sets W and b from descriptors that come in batches.</summary>
    /// <remarks>
    /// <para>The covariance is Σ(x − mean)(x − mean)ᵀ / (M − 1). Up to 4096 dimensions it is summed and decomposed in float64,
    /// in two passes over the batches. Beyond, its leading eigenvectors come from a randomised subspace iteration in
    /// float32 (Halko, Martinsson, Tropp: Finding Structure with Randomness, SIAM Review 2011, algorithms 4.4 and 5.3) with
    /// shifts, in seven passes: memory is a few times in·out numbers, and the smallest of the kept components are
    /// approximate. They are exact where all components there are, in or M − 1, are at most an eighth more than the kept.</para>
    /// <para>The largest entry by magnitude of every eigenvector is positive, so that a fit repeats. All is computed on the
    /// parameters' device.</para>
    /// </remarks>
    /// <param name="batches">Batches of shape (Mᵢ, in), Σ Mᵢ > out, each of any floating-point dtype and on any device;
    /// <c>[descriptors]</c> where one tensor holds all. Enumerated
    /// several times, and the same descriptors must come every time. Tensors that the enumeration makes are disposed after
    /// use; those that are there already stay. No gradients are recorded meanwhile.</param>
    /// <param name="whiten">False for W = Uᵀ: components that keep their variances.</param>
    /// <param name="epsilon">ε ≥ 0, added to the variances before their roots are divided by.</param>
    /// <param name="seed">Decides the random start beyond 4096 dimensions.</param>
    /// <returns>The variances found.</returns>
    /// <exception cref="ArgumentException">There are no batches, one has another shape, values are not finite, there are not
    /// more descriptors than components, the passes differ, or ε is 0 and a kept component has no variance: 1e-10 of the
    /// largest or less.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epsilon"/> is negative or not finite, or the weights
    /// overflow the parameters' dtype.</exception>
    public PcaSpectrum Fit(IEnumerable<Tensor> batches, bool whiten = true, double epsilon = 0, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(batches);
        Check.NotNegative(epsilon, nameof(epsilon));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var data = new DescriptorPasses(batches, weight.size(1), weight.size(0), weight.device);
        var (variances, vectors, total) = PrincipalComponents.Of(data, weight.size(0), seed);
        if (whiten && epsilon == 0)
        {
            CheckRank(variances);
        }

        Set(data.Mean, whiten ? vectors.mul_(variances.Plus(epsilon).rsqrt().to(vectors.dtype)) : vectors);
        return new(data.Count, variances.cpu().data<double>().ToArray(), total);
    }

    private static void CheckRank(Tensor variances)
    {
        var rank = (variances > variances[0] * Held(1e-10)).sum().ToInt64();
        if (rank < variances.size(0))
        {
            throw new ArgumentException(
                $"expected variance in {variances.size(0)} components, got {rank}: keep fewer, or give a positive epsilon", "batches");
        }
    }

    private void Set(Tensor mean, Tensor columns)
    {
        var w = columns.t().to(weight.dtype);
        var b = -columns.t().matmul(mean.to(columns.dtype).unsqueeze(1)).squeeze(1).to(bias.dtype);
        if (!w.isfinite().all().ToBoolean() || !b.isfinite().all().ToBoolean())
        {
            throw new ArgumentOutOfRangeException("epsilon", $"the weights overflow {weight.dtype}");
        }

        weight.copy_(w);
        bias.copy_(b);
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            z = torch.linear(wide, self.weight.to(wide.dtype), self.bias.to(wide.dtype))
            return (z * self.inverse_norm(z, -1)).to(x.dtype)

        """ + pooling.inverse_norm_script);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="PcaWhitening"/>.</summary>
    /// <param name="x">Descriptors, shape (N, in) or (N, P, in).</param>
    /// <param name="weight">W, shape (out, in).</param>
    /// <param name="bias">b, shape (out).</param>
    /// <returns>Shape (N, out) or (N, P, out), in <paramref name="x"/>'s dtype; zeros where W·x + b is zero.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor pca_whitening(Tensor x, Tensor weight, Tensor bias)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2)
        {
            throw new ArgumentException($"expected a weight (out, in), got {weight.dim()} dimensions {Check.Shape(weight)}", nameof(weight));
        }

        Check.Dense(weight, nameof(weight));
        Check.Exactly(bias, [weight.size(0)], nameof(bias));
        if (x.dim() is not (2 or 3) || x.size(-1) != weight.size(1))
        {
            throw new ArgumentException(
                $"expected descriptors (N, {weight.size(1)}) or (N, P, {weight.size(1)}), got {x.dim()} dimensions {Check.Shape(x)}", nameof(x));
        }

        Check.FloatingPoint(x, nameof(x));
        Check.LikeParameters(x, weight);
        Check.LikeParameters(bias, weight, nameof(bias));
        using var scope = NewDisposeScope();
        var dtype = Check.AtLeastFloat32(x.dtype);
        var z = nn.functional.linear(x.to(dtype), weight.to(dtype), bias.to(dtype));
        return (z * inverse_norm(z, -1)).to(x.dtype).MoveToOuterDisposeScope();
    }
}
