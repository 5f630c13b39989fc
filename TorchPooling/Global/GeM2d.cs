using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Generalised-mean pooling: one power mean per channel over the whole map.</summary>
/// <remarks>
/// <para>y[n,c] = ( mean over h,w of max(x[n,c,h,w], eps)^p )^(1/p). p = 1 averages; p → ∞ takes the maximum.</para>
/// <para>Computed as m·(mean (max(x, eps)/m)^p)^(1/p), m the map's maximum, so that no power overflows, whatever x and p.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>The parameter <c>p</c> has the shape (1), or (C, 1, 1) with one exponent per channel.</para>
/// <para>Radenović, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 41(7), 2019.</para>
/// </remarks>
public sealed class GeM2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter p;   // a field's name is its state_dict key
    private readonly double eps;

    /// <param name="p">Initial exponent, learned with the network; positive.</param>
    /// <param name="eps">Floor under the activations, so that the root stays differentiable; positive.</param>
    /// <param name="num_channels">C, for one exponent per channel; one for all where null.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> or <paramref name="eps"/> is not positive and finite, or
    /// <paramref name="num_channels"/> is not positive.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public GeM2d(double p = 3, double eps = 1e-6, long? num_channels = null, Device? device = null, ScalarType? dtype = null)
        : base(nameof(GeM2d))
    {
        pooling.CheckPositive(p, nameof(p));
        pooling.CheckPositive(eps, nameof(eps));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_channels ?? 1, nameof(num_channels));
        Check.Parameter([num_channels ?? 1], device, dtype, nameof(num_channels));
        Check.HeldBy(dtype ?? ScalarType.Float32, p, nameof(p));
        this.p = new Parameter(full(num_channels is { } c ? [c, 1, 1] : [1], Held(p), dtype: dtype, device: device));
        this.p.DetachFromDisposeScope();
        this.eps = eps;
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.gem2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.gem2d(x, p, eps);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            if self.p.dim() == 3 and self.p.size(0) != x.size(1):
                ops.prim.RaiseException("expected a feature map with one channel for each exponent")
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            p = self.p.to(wide.dtype)
            floored = wide.clamp_min(self.eps)
            largest = floored.detach().amax([2, 3], True)
            y = floored.div_(largest).pow(p).mean([2, 3], True).pow(p.reciprocal()) * largest
            return y.to(x.dtype)
        """,
        (nameof(eps), eps));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="GeM2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="p">Exponent, shape (1) or (C, 1, 1).</param>
    /// <param name="eps">Floor under the activations.</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or not of C channels, or
    /// <paramref name="p"/> has another shape or device.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="eps"/> is not positive and finite.</exception>
    public static Tensor gem2d(Tensor x, Tensor p, double eps = 1e-6)
    {
        ArgumentNullException.ThrowIfNull(p);
        CheckExponent(x, p);
        CheckPositive(eps, nameof(eps));
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));   // eps^p underflows in half precision, and 1/p is coarse
        var exponent = p.to(wide.dtype);
        var floored = wide.clamp_min(Held(eps));
        var largest = floored.detach().amax([2, 3], keepdim: true);
        var powers = floored.div_(largest).pow(exponent);
        var y = powers.mean([2, 3], keepdim: true).pow(exponent.reciprocal()) * largest;
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    private static void CheckExponent(Tensor x, Tensor p)
    {
        if (p.dim() == 3)
        {
            Check.FeatureMap(x, p.size(0));
            Check.Exactly(p, [p.size(0), 1, 1], nameof(p));
        }
        else
        {
            Check.FeatureMap(x);
            Check.Exactly(p, [1], nameof(p));
        }

        Check.FloatingPoint(p, nameof(p));
        if (!Check.SameDevice(x, p))
        {
            throw new ArgumentException($"expected the exponent on {x.device} as the map, got {p.device}", nameof(p));
        }
    }

    internal static void CheckPositive(double value, string name)
    {
        if (!(value > 0) || double.IsInfinity(value))
        {
            throw new ArgumentOutOfRangeException(name, value, "expected a positive, finite number");
        }

        Check.HeldBy(ScalarType.Float32, value, name);
    }
}
