using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Overlapping max pooling: windows larger than their stride, so that neighbouring ones share pixels.</summary>
/// <remarks>
/// <para>y = max x over the pixels of the window that lie in the map, by libtorch's <c>max_pool2d</c>; a kernel that is not larger
/// than the stride on both axes is refused. The first of equal pixels, in row-major order, takes the gradient; NaN stays NaN.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding is never a maximum.</para>
/// <para>Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012; the defaults,
/// kernel 3 and stride 2, are those of its section 3.4.</para>
/// </remarks>
public sealed class OverlappingMaxPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both; 3 where null.</param>
    /// <param name="stride">Steps from window to window, smaller than <paramref name="kernel_size"/>; 2 where null.</param>
    /// <param name="padding">Rows and columns around the map that are never a maximum; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A stride is not smaller than the kernel, an entry is too small, or the padding
    /// more than half the kernel.</exception>
    public OverlappingMaxPool2d(
        Size? kernel_size = null, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false)
        : base(nameof(OverlappingMaxPool2d)) => window = Window2d.Overlapping(kernel_size ?? 3, stride ?? 2, padding, dilation, ceil_mode);

    /// <summary>See <see cref="pooling.overlapping_max_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.OverlappingMaxPool(x, window);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            for axis in range(2):
                if self.padding[axis] > 0 and x.size(2 + axis) < self.dilation[axis]:
                    ops.prim.RaiseException("the map is too small for the window")
            return torch.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="OverlappingMaxPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both; 3 where null.</param>
    /// <param name="stride">Steps from window to window, smaller than <paramref name="kernel_size"/>; 2 where null.</param>
    /// <param name="padding">Rows and columns around the map that are never a maximum; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A stride is not smaller than the kernel, an entry is too small, or the padding
    /// more than half the kernel.</exception>
    public static Tensor overlapping_max_pool2d(
        Tensor x, Size? kernel_size = null, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false) =>
        OverlappingMaxPool(x, Window2d.Overlapping(kernel_size ?? 3, stride ?? 2, padding, dilation, ceil_mode));

    internal static Tensor OverlappingMaxPool(Tensor x, Window2d window) => window.Largest(x);
}
