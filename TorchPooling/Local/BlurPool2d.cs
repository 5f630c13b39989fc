using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Anti-aliased subsampling: a binomial filter, then every so many pixels.</summary>
/// <remarks>
/// <para>y[n,c] = (x[n,c] ∗ b bᵀ) at every <c>stride</c>-th row and column, b the binomial coefficients of <c>kernel_size</c> taps
/// divided by their sum: (1, 2, 1)/4 for three. What the smaller map cannot show is taken out before it folds into what it can.</para>
/// <para>Padded by ⌊(k−1)/2⌋ before the map and ⌈(k−1)/2⌉ behind it, by reflection, by the nearest pixel, or by zeros, which count as
/// zeros: the edge of the map then fades. No parameters.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, ⌊(H−1)/stride⌋ + 1, ⌊(W−1)/stride⌋ + 1), in the input's dtype. Reflection needs
/// H, W &gt; ⌈(k−1)/2⌉.</para>
/// <para>Zhang: Making Convolutional Networks Shift-Invariant Again, ICML 2019.</para>
/// </remarks>
public sealed class BlurPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Blur2d blur;

    /// <param name="kernel_size">Taps of the filter, 1 (subsampling alone) to 7.</param>
    /// <param name="stride">Steps from pixel to pixel.</param>
    /// <param name="padding_mode"><c>Reflect</c>, <c>Replicate</c> or <c>Zeros</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="padding_mode"/> is another.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kernel_size"/> is not 1 to 7, or <paramref name="stride"/> not
    /// positive or beyond int.</exception>
    public BlurPool2d(long kernel_size = 3, long stride = 2, PaddingModes padding_mode = PaddingModes.Reflect)
        : base(nameof(BlurPool2d)) => blur = new(kernel_size, nameof(kernel_size), stride, padding_mode);

    /// <summary>See <see cref="pooling.blur_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.BlurPool(x, blur);

    ScriptDefinition IScriptable.script() => new(
        blur.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            return self.blurred(wide).to(x.dtype)
        """,
        blur.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="BlurPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Taps of the filter, 1 (subsampling alone) to 7.</param>
    /// <param name="stride">Steps from pixel to pixel.</param>
    /// <param name="padding_mode"><c>Reflect</c>, <c>Replicate</c> or <c>Zeros</c>.</param>
    /// <returns>Shape (N, C, ⌊(H−1)/stride⌋ + 1, ⌊(W−1)/stride⌋ + 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small to be reflected, or
    /// <paramref name="padding_mode"/> is another.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kernel_size"/> is not 1 to 7, or <paramref name="stride"/> not
    /// positive or beyond int.</exception>
    public static Tensor blur_pool2d(
        Tensor x, long kernel_size = 3, long stride = 2, PaddingModes padding_mode = PaddingModes.Reflect) =>
        BlurPool(x, new Blur2d(kernel_size, nameof(kernel_size), stride, padding_mode));

    internal static Tensor BlurPool(Tensor x, Blur2d blur)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        return blur.Of(x.to(Check.AtLeastFloat32(x.dtype))).to(x.dtype).MoveToOuterDisposeScope();
    }
}
