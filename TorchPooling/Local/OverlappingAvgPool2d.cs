using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Overlapping average pooling: windows larger than their stride, so that neighbouring ones share pixels.</summary>
/// <remarks>
/// <para>y = mean x over the pixels of the window that lie in the map, by libtorch's <c>avg_pool2d</c>; a kernel that is not larger
/// than the stride on both axes is refused. Unlike in <c>AvgPool2d</c>, padding does not count as zeros.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>AvgPool2d</c>'s, in the input's dtype.</para>
/// <para>Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012, has the rule and
/// the defaults, kernel 3 and stride 2, for the maximum.</para>
/// </remarks>
public sealed class OverlappingAvgPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both; 3 where null.</param>
    /// <param name="stride">Steps from window to window, smaller than <paramref name="kernel_size"/>; 2 where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A stride is not smaller than the kernel, an entry is too small, or the padding
    /// more than half the kernel.</exception>
    public OverlappingAvgPool2d(Size? kernel_size = null, Size? stride = null, Size? padding = null, bool ceil_mode = false)
        : base(nameof(OverlappingAvgPool2d)) => window = Window2d.Overlapping(kernel_size ?? 3, stride ?? 2, padding, null, ceil_mode);

    /// <summary>See <see cref="pooling.overlapping_avg_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.OverlappingAvgPool(x, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            return self.average(wide).to(x.dtype)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="OverlappingAvgPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both; 3 where null.</param>
    /// <param name="stride">Steps from window to window, smaller than <paramref name="kernel_size"/>; 2 where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A stride is not smaller than the kernel, an entry is too small, or the padding
    /// more than half the kernel.</exception>
    public static Tensor overlapping_avg_pool2d(
        Tensor x, Size? kernel_size = null, Size? stride = null, Size? padding = null, bool ceil_mode = false) =>
        OverlappingAvgPool(x, Window2d.Overlapping(kernel_size ?? 3, stride ?? 2, padding, null, ceil_mode));

    internal static Tensor OverlappingAvgPool(Tensor x, Window2d window)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        return window.Average(x.to(Check.AtLeastFloat32(x.dtype))).to(x.dtype).MoveToOuterDisposeScope();
    }
}
