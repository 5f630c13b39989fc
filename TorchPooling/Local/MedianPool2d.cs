using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Median pooling: the middle value of each window.</summary>
/// <remarks>
/// <para>y = the median of the pixels of the window that lie in the map: the middle one of an odd number, the mean of the two middle
/// ones of an even number, so that the median of −x is −y. PyTorch's <c>median</c> takes the lower of the two.</para>
/// <para>The pixel taken has the gradient, each of two a half; of equal pixels those that stand in the middle when the earlier, in
/// row-major order, is sorted before. A window with NaN gives NaN.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding does not count.</para>
/// <para>Tukey: Exploratory Data Analysis, 1977 (running medians).</para>
/// </remarks>
public sealed class MedianPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public MedianPool2d(Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false)
        : base(nameof(MedianPool2d)) => window = new(kernel_size, stride, padding, dilation, ceil_mode);

    /// <summary>See <see cref="pooling.median_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.MedianPool(x, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.SlicedScript +
        """
        def pool(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            ordered = torch.sort(self.windows(wide, inf), stable=True, dim=0, descending=False)[0]
            count = self.valid(wide).sum(0)
            y = self.at(ordered, (count - 1) / 2) + self.at(ordered, count / 2)
            last = ordered[-1]
            return torch.where(last.isnan(), last, y).to(x.dtype)

        def at(self, ordered: Tensor, rank: Tensor) -> Tensor:
            index = rank.floor().long().expand([1, ordered.size(1), ordered.size(2), ordered.size(3), ordered.size(4)])
            return ordered.gather(0, index)[0] * 0.5
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="MedianPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor median_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false) =>
        MedianPool(x, new Window2d(kernel_size, stride, padding, dilation, ceil_mode));

    internal static Tensor MedianPool(Tensor x, Window2d window) => Slices.Of(x, slice => MedianPoolOf(slice, window));

    private static Tensor MedianPoolOf(Tensor x, Window2d window)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var (ordered, _) = window.Of(wide, double.PositiveInfinity).sort(0, stable: true);
        var count = window.Valid(wide).sum(dim: 0);
        var y = HalfAt(ordered, (count - Held(1)) / Held(2)).Plus(HalfAt(ordered, count / Held(2)));
        var last = ordered[-1];   // NaN is sorted behind the padding
        return where(last.isnan(), last, y).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Half the pixel of this rank, from 0, in each window: two halves cannot overflow.</summary>
    private static Tensor HalfAt(Tensor ordered, Tensor rank) =>
        ordered.gather(0, rank.floor().to(ScalarType.Int64).expand([1, .. ordered.shape[1..]]))[0] * Held(0.5);
}
