using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>SoftPool: each pixel of a window weighs as its exponential.</summary>
/// <remarks>
/// <para>y = Σ x·eˣ / Σ eˣ over the pixels of the window that lie in the map: between the mean (of small values) and the maximum (of
/// large ones), with a gradient for every pixel. Computed as a softmax, so that nothing overflows. A window with NaN, +∞ or −∞
/// gives NaN.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding weighs nothing.</para>
/// <para>Stergiou, Poppe, Kalliatakis: Refining Activation Downsampling with SoftPool, ICCV 2021.</para>
/// </remarks>
public sealed class SoftPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that weigh nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public SoftPool2d(Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false)
        : base(nameof(SoftPool2d)) => window = new(kernel_size, stride, padding, dilation, ceil_mode);

    /// <summary>See <see cref="pooling.soft_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.SoftPool(x, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.SlicedScript +
        """
        def pool(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            if self.quick(wide):
                power = (wide - wide.detach().amax([2, 3], True)).exp_()
                weight = self.total(power)
                y = self.total(power * wide) / weight
                if bool(weight.detach().amin([0, 1, 2, 3]) > 1e-30) and bool(y.detach().sum().isfinite()):
                    return y.to(x.dtype)
            pixels = self.windows(wide, -inf)
            weight = pixels.softmax(0)
            if not self.inside(x):
                pixels = self.windows(wide, 0.0)
            y = (weight * pixels).sum(0)
            return y.to(x.dtype)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="SoftPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that weigh nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor soft_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false) =>
        SoftPool(x, new Window2d(kernel_size, stride, padding, dilation, ceil_mode));

    internal static Tensor SoftPool(Tensor x, Window2d window) => Slices.Of(x, slice => SoftPoolOf(slice, window));

    private static Tensor SoftPoolOf(Tensor x, Window2d window)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var y = Window2d.IsQuick(wide) ? QuickSoftPool(wide, window) : null;
        y ??= WeightedByExponential(wide, window);
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    private static Tensor WeightedByExponential(Tensor wide, Window2d window)
    {
        var pixels = window.Of(wide, double.NegativeInfinity);
        return (pixels.softmax(0) * (window.IsInside(wide) ? pixels : window.Of(wide, 0))).sum(dim: 0);
    }

    /// <summary>The same from two sums of a map; null where a window lies so far below its channel's maximum that its weights vanish, or
    /// something is not finite.</summary>
    private static Tensor? QuickSoftPool(Tensor wide, Window2d window)
    {
        using var power = (wide - wide.detach().amax([2, 3], keepdim: true)).exp_();   // large ones go as soon as they may
        using var product = power * wide;
        var weight = window.Sum(power);
        var y = window.Sum(product) / weight;
        return Window2d.Least(weight) > 1e-30f && float.IsFinite(y.detach().sum().ToSingle()) ? y : null;
    }
}
