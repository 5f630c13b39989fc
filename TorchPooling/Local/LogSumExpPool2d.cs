using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Log-sum-exp pooling: a smooth maximum of each window.</summary>
/// <remarks>
/// <para>y = (1/r)·log( mean exp(r·x) ) over the pixels of the window that lie in the map: r → 0 averages, r → ∞ takes the maximum.
/// The gradient of y is the softmax of r·x. <see cref="LogSumExp2d"/> is the same over the whole map.</para>
/// <para>Computed as m + (1/r)·log( mean exp(r·(x − m)) ), m the window's largest x, so that no exponential overflows; where the
/// mean is above ½, as 1 + mean (exp(r·(x − m)) − 1), so that a small r loses no digits. NaN, +∞ and a window of −∞ alone give NaN.
/// </para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding does not count.</para>
/// <para>Pinheiro, Collobert: From Image-level to Pixel-level Labeling with Convolutional Networks, CVPR 2015.</para>
/// </remarks>
public sealed class LogSumExpPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly double r;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="r">How near to the maximum; 10⁻²⁰ to 10²⁰.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="r"/> is out of range, an entry is too small, or the padding more
    /// than half the kernel.</exception>
    public LogSumExpPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false, double r = 10)
        : base(nameof(LogSumExpPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        pooling.CheckSharpness(r);
        this.r = r;
    }

    /// <summary>See <see cref="pooling.log_sum_exp_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.LogSumExpPool(x, r, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.SlicedScript +
        """
        def pool(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            pixels = self.windows(wide, -inf)
            valid = self.valid(wide)
            largest = pixels.detach().amax([0])
            powers = (pixels - largest).mul_(self.r)
            count = valid.sum(0)
            (above, whole) = ((powers.expm1() * valid).sum(0) / count, powers.exp().sum(0) / count)
            y = torch.where(above > -0.5, above.clamp_min(-0.5).log1p(), whole.log()) / self.r + largest
            return y.to(x.dtype)
        """,
        [.. window.Attributes, (nameof(r), r)]);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="LogSumExpPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="r">How near to the maximum; 10⁻²⁰ to 10²⁰.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="r"/> is out of range, an entry is too small, or the padding more
    /// than half the kernel.</exception>
    public static Tensor log_sum_exp_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false, double r = 10)
    {
        CheckSharpness(r);
        return LogSumExpPool(x, r, new Window2d(kernel_size, stride, padding, dilation, ceil_mode));
    }

    internal static Tensor LogSumExpPool(Tensor x, double r, Window2d window) => Slices.Of(x, slice => LogSumExpPoolOf(slice, r, window));

    private static Tensor LogSumExpPoolOf(Tensor x, double r, Window2d window)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var pixels = window.Of(wide, double.NegativeInfinity);
        var valid = window.Valid(wide);
        var largest = pixels.detach().amax([0]);
        var powers = (pixels - largest).mul_(Held(r));
        var count = valid.sum(dim: 0);
        var y = (LogOfMean((powers.expm1() * valid).sum(dim: 0) / count, powers.exp().sum(dim: 0) / count) / Held(r)).Plus(largest);
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The logarithm of a mean of at most 1, from the mean less 1 and the mean: each keeps its digits where the other loses them.</summary>
    internal static Tensor LogOfMean(Tensor above, Tensor whole) => where(above > Held(-0.5), above.clamp_min(Held(-0.5)).log1p(), whole.log());

    /// <summary>Beyond, r or 1/r times a pixel leaves float32.</summary>
    internal static void CheckSharpness(double r)
    {
        if (!(r >= 1e-20 && r <= 1e20))
        {
            throw new ArgumentOutOfRangeException(nameof(r), r, "expected 1E-20 to 1E+20");
        }
    }
}
