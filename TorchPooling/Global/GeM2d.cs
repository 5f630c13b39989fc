using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Generalised-mean pooling: one power mean per channel over the whole map.</summary>
/// <remarks>
/// <para>y[n,c] = ( mean over h,w of max(x[n,c,h,w], eps)^p )^(1/p). p = 1 averages; p → ∞ takes the maximum.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>Radenović, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2018, eq. 3.</para>
/// </remarks>
public sealed class GeM2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter p;   // a field's name is its state_dict key
    private readonly double eps;

    /// <param name="p">Initial exponent, learned with the network; positive.</param>
    /// <param name="eps">Floor under the activations, so that the root stays differentiable; positive.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> or <paramref name="eps"/> is not positive.</exception>
    public GeM2d(double p = 3, double eps = 1e-6, Device? device = null, ScalarType? dtype = null)
        : base(nameof(GeM2d))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(p);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(eps);
        this.p = new Parameter(full(1, p, dtype: dtype, device: device));
        this.p.DetachFromDisposeScope();
        this.eps = eps;
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.gem2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.gem2d(x, p, eps);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            y = wide.clamp_min(self.eps).pow(self.p).mean([2, 3], True).pow(1.0 / self.p)
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
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    public static Tensor gem2d(Tensor x, Tensor p, double eps = 1e-6)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));   // eps^p underflows in half precision
        var y = wide.clamp_min(eps).pow(p).mean([2, 3], keepdim: true).pow(p.reciprocal());
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }
}
