using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Anti-aliased max pooling: the maximum at every pixel, then <see cref="BlurPool2d"/> for the subsampling.</summary>
/// <remarks>
/// <para>y = blur(m) at every <c>stride</c>-th pixel, m = <c>MaxPool2d</c> with the kernel, padding and dilation at stride 1: max
/// pooling split into its two steps, with a low-pass filter between them. The first maximum of a window takes its gradient; a NaN
/// pixel gives NaN.</para>
/// <para>Shape: input (N, C, H, W); m has H + 2·padding − dilation·(k − 1) rows, k the <c>kernel_size</c>, and so in columns; the
/// output (N, C, H', W') is <see cref="BlurPool2d"/>'s of m, as large as <c>MaxPool2d</c>'s with the same settings and without its
/// ceil mode, in the input's dtype. No parameters.</para>
/// <para>Zhang: Making Convolutional Networks Shift-Invariant Again, ICML 2019.</para>
/// </remarks>
public sealed class MaxBlurPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Window2d window;
    private readonly Blur2d blur;

    /// <param name="kernel_size">Height and width of the windows of the maximum, one number for both; 2 where null.</param>
    /// <param name="stride">Steps from pixel to pixel of the filtered map.</param>
    /// <param name="padding">Rows and columns around the map that are never a maximum; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window of the maximum; 1 where null.</param>
    /// <param name="filter_size">Taps of the filter, 1 (plain max pooling) to 7.</param>
    /// <param name="padding_mode"><c>Reflect</c>, <c>Replicate</c> or <c>Zeros</c>, around the map of maxima.</param>
    /// <exception cref="ArgumentException"><paramref name="padding_mode"/> is another, or a setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="filter_size"/> is not 1 to 7, another number too small or beyond
    /// int, or the padding more than half the kernel.</exception>
    public MaxBlurPool2d(
        Size? kernel_size = null, long stride = 2, Size? padding = null, Size? dilation = null, long filter_size = 3,
        PaddingModes padding_mode = PaddingModes.Reflect)
        : base(nameof(MaxBlurPool2d))
    {
        window = new(kernel_size ?? 2, 1, padding, dilation, false);
        blur = new(filter_size, nameof(filter_size), stride, padding_mode);
    }

    /// <summary>See <see cref="pooling.max_blur_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.MaxBlurPool(x, window, blur);

    ScriptDefinition IScriptable.script() => new(
        Window2d.Script + blur.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            return self.blurred(self.largest(wide)).to(x.dtype)
        """,
        [.. window.Attributes, .. blur.Attributes]);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="MaxBlurPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the windows of the maximum, one number for both; 2 where null.</param>
    /// <param name="stride">Steps from pixel to pixel of the filtered map.</param>
    /// <param name="padding">Rows and columns around the map that are never a maximum; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window of the maximum; 1 where null.</param>
    /// <param name="filter_size">Taps of the filter, 1 (plain max pooling) to 7.</param>
    /// <param name="padding_mode"><c>Reflect</c>, <c>Replicate</c> or <c>Zeros</c>, around the map of maxima.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window or to be reflected, or
    /// <paramref name="padding_mode"/> is another, or a setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="filter_size"/> is not 1 to 7, another number too small or beyond
    /// int, or the padding more than half the kernel.</exception>
    public static Tensor max_blur_pool2d(
        Tensor x, Size? kernel_size = null, long stride = 2, Size? padding = null, Size? dilation = null, long filter_size = 3,
        PaddingModes padding_mode = PaddingModes.Reflect) =>
        MaxBlurPool(
            x, new Window2d(kernel_size ?? 2, 1, padding, dilation, false), new Blur2d(filter_size, nameof(filter_size), stride, padding_mode));

    internal static Tensor MaxBlurPool(Tensor x, Window2d window, Blur2d blur)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        return blur.Of(window.Largest(x.to(Check.AtLeastFloat32(x.dtype)))).to(x.dtype).MoveToOuterDisposeScope();
    }
}
