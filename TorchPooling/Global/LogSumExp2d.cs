using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Log-sum-exp pooling: a smooth maximum of each channel over the whole map.</summary>
/// <remarks>
/// <para>y[n,c] = (1/r)·log( mean over h,w of exp(r·x[n,c,h,w]) ). r → ∞ takes the maximum, r → 0 the mean; the gradient is
/// the softmax of r·x over the positions.</para>
/// <para>Computed as m + (1/r)·log( mean exp(r·(x − m)) ), m the channel's largest x, so that no exponential overflows; where the
/// mean is above ½, as 1 + mean (exp(r·(x − m)) − 1), so that a small r loses no digits. NaN, +∞ and a map of −∞ alone give NaN.
/// <see cref="LogSumExpPool2d"/> is the same over windows.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>Pinheiro, Collobert: From Image-level to Pixel-level Labeling with Convolutional Networks, CVPR 2015.</para>
/// </remarks>
public sealed class LogSumExp2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly double r;

    /// <param name="r">How near to the maximum; 10⁻²⁰ to 10²⁰.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="r"/> is out of range.</exception>
    public LogSumExp2d(double r = 10)
        : base(nameof(LogSumExp2d))
    {
        pooling.CheckSharpness(r);
        this.r = r;
    }

    /// <summary>See <see cref="pooling.log_sum_exp2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.log_sum_exp2d(x, r);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            largest = wide.detach().amax([2, 3], True)
            powers = (wide - largest).mul_(self.r)
            half = (powers / 2.0).tanh()
            (above, whole) = ((2.0 * half / (1.0 - half)).mean([2, 3], True), powers.exp().mean([2, 3], True))
            y = torch.where(above > -0.5, above.clamp_min(-0.5).log1p(), whole.log()) / self.r + largest
            return y.to(x.dtype)
        """,
        (nameof(r), r));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="LogSumExp2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="r">How near to the maximum; 10⁻²⁰ to 10²⁰.</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="r"/> is out of range.</exception>
    public static Tensor log_sum_exp2d(Tensor x, double r = 10)
    {
        Check.FeatureMap(x);
        CheckSharpness(r);
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var largest = wide.detach().amax([2, 3], keepdim: true);
        var powers = (wide - largest).mul_(Held(r));
        var half = (powers / Held(2)).tanh();   // e^p − 1 = 2·tanh(p/2) / (1 − tanh(p/2)), which goes on to ONNX, where expm1 does not
        var y = (LogOfMean((Held(2) * half / half.rsub(1)).mean([2, 3], keepdim: true), powers.exp().mean([2, 3], keepdim: true)) / Held(r)).Plus(largest);
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }
}
