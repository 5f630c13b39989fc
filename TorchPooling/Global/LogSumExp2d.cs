using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Log-sum-exp pooling: a smooth maximum of each channel over the whole map.</summary>
/// <remarks>
/// <para>y[n,c] = (1/r)·log( mean over h,w of exp(r·x[n,c,h,w]) ). r → ∞ takes the maximum, r → 0 the mean; the gradient is
/// the softmax of r·x over the positions.</para>
/// <para>The maximum is subtracted before the exponential, so that nothing overflows. Below r ≈ 1e-3 float32 loses digits:
/// the error is about 1e-7/r.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>Pinheiro, Collobert: From Image-level to Pixel-level Labeling with Convolutional Networks, CVPR 2015.</para>
/// </remarks>
public sealed class LogSumExp2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly double r;

    /// <param name="r">How near to the maximum; positive.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="r"/> is not positive and finite.</exception>
    public LogSumExp2d(double r = 10)
        : base(nameof(LogSumExp2d))
    {
        pooling.CheckPositive(r, nameof(r));
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
            y = (wide - largest).mul_(self.r).exp_().mean([2, 3], True).log() / self.r + largest
            return y.to(x.dtype)
        """,
        (nameof(r), r));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="LogSumExp2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="r">How near to the maximum; positive.</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="r"/> is not positive and finite.</exception>
    public static Tensor log_sum_exp2d(Tensor x, double r = 10)
    {
        Check.FeatureMap(x);
        CheckPositive(r, nameof(r));
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var largest = wide.detach().amax([2, 3], keepdim: true);
        var y = (wide - largest).mul_(r).exp_().mean([2, 3], keepdim: true).log() / r + largest;
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }
}
