using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Mixed max-average pooling: a learned share of the maximum, the rest of the average.</summary>
/// <remarks>
/// <para>y = α·max x + (1 − α)·mean x over the pixels of the window that lie in the map. α = σ(<c>alpha_logit</c>), so that no training
/// leaves 0 … 1, starts at ½: one for the layer, or one per channel. Padding is no maximum and left out of the average.</para>
/// <para>The first maximum of a window takes the maximum's gradient; a NaN pixel gives NaN.</para>
/// <para>The parameter <c>alpha_logit</c> has the shape (1), or (C, 1, 1) with one share per channel.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype.</para>
/// <para>Lee, Gallagher, Tu: Generalizing Pooling Functions in Convolutional Neural Networks: Mixed, Gated, and Tree, AISTATS 2016.
/// </para>
/// </remarks>
public sealed class MixedPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter alpha_logit;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that count as nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="num_channels">C, for one share per channel; one for all where null or 1.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries, or <paramref name="dtype"/> is no floating-point type.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, the padding more than half the kernel, or
    /// <paramref name="num_channels"/> not positive, or does not fit into memory.</exception>
    public MixedPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        long? num_channels = null, Device? device = null, ScalarType? dtype = null)
        : base(nameof(MixedPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_channels ?? 1, nameof(num_channels));
        Check.Parameter([num_channels ?? 1], device, dtype, nameof(num_channels));
        alpha_logit = new Parameter(zeros(num_channels is > 1 and { } c ? [c, 1, 1] : [1], dtype: dtype, device: device));
        alpha_logit.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.mixed_pool2d"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map of C channels, is too small for one window, or on
    /// another device than the parameter.</exception>
    public override Tensor forward(Tensor x)
    {
        pooling.CheckShare(x, alpha_logit, nameof(alpha_logit));
        using var scope = NewDisposeScope();
        var alpha = alpha_logit.to(Check.AtLeastFloat32(x.dtype)).sigmoid();
        return pooling.MixedPool(x, alpha, window).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        Window2d.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            if self.alpha_logit.size(0) != 1 and self.alpha_logit.size(0) != x.size(1):
                ops.prim.RaiseException("expected a feature map with one channel for each share")
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            alpha = self.alpha_logit.to(wide.dtype).sigmoid()
            y = alpha * self.largest(wide) + (1.0 - alpha) * self.average(wide)
            return y.to(x.dtype)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="MixedPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="alpha">α, the maximum's share, shape (1), or (C, 1, 1), where C = 1 is for all; used as it is.</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that count as nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or
    /// <paramref name="alpha"/> has another shape or device or is no floating-point tensor, or a setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor mixed_pool2d(
        Tensor x, Tensor alpha, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false)
    {
        ArgumentNullException.ThrowIfNull(alpha);
        CheckShare(x, alpha, nameof(alpha));
        return MixedPool(x, alpha, new Window2d(kernel_size, stride, padding, dilation, ceil_mode));
    }

    internal static Tensor MixedPool(Tensor x, Tensor alpha, Window2d window)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var share = alpha.to(wide.dtype);
        var y = (share * window.Largest(wide)).Plus(share.rsub(1) * window.Average(wide));
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    internal static void CheckShare(Tensor x, Tensor alpha, string name)
    {
        if (alpha.dim() == 3)
        {
            CheckChannels(x, alpha.size(0));
            Check.Exactly(alpha, [alpha.size(0), 1, 1], name);
        }
        else
        {
            Check.FeatureMap(x);
            Check.Exactly(alpha, [1], name);
        }

        Check.FloatingPoint(alpha, name);
        Check.OnDeviceOf(alpha, x);
    }
}
