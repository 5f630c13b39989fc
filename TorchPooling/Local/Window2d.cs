using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The windows of a local pooling over maps (N, C, H, W), with PyTorch's kernel, stride, padding, dilation and ceil mode,
/// in C# and in TorchScript.</summary>
/// <remarks>H' = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, or rounded up in ceil mode, where a window that would
/// begin beyond the map is dropped. Every window has at least one pixel of the map.</remarks>
internal sealed class Window2d
{
    private readonly long[] kernel_size;
    private readonly long[] stride;
    private readonly long[] padding;
    private readonly long[] dilation;
    private readonly bool ceil_mode;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; the kernel size where null.</param>
    /// <param name="padding">Rows and columns around the map that count as nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small or too large.</exception>
    public Window2d(Size kernel_size, Size? stride, Size? padding, Size? dilation, bool ceil_mode)
    {
        this.kernel_size = Check.Pair(kernel_size, 1, nameof(kernel_size));
        this.stride = Check.Pair(stride ?? kernel_size, 1, nameof(stride));
        this.padding = Check.Pair(padding ?? 0, 0, nameof(padding));
        this.dilation = Check.Pair(dilation ?? 1, 1, nameof(dilation));
        this.ceil_mode = ceil_mode;
        for (var axis = 0; axis < 2; axis++)
        {
            if (this.padding[axis] > this.kernel_size[axis] / 2)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(padding), this.padding[axis], $"expected a padding of at most half the kernel's {this.kernel_size[axis]}");
            }
        }
    }

    /// <summary>The windows of filters (…, …, kH, kW): their size is the kernel's.</summary>
    /// <exception cref="ArgumentException"><paramref name="filters"/> has another shape, or a setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small or too large.</exception>
    public static Window2d OfFilters(Tensor filters, Size? stride, Size? padding, Size? dilation, bool ceil_mode, string name)
    {
        ArgumentNullException.ThrowIfNull(filters, name);
        if (filters.dim() != 4 || filters.shape.Contains(0))
        {
            throw new ArgumentException($"expected filters of four dimensions, the last two a window's, got {Check.Shape(filters)}", name);
        }

        Check.Dense(filters, name);
        return new((filters.size(2), filters.size(3)), stride, padding, dilation, ceil_mode);
    }

    /// <summary>Windows that overlap: the kernel is larger than the stride on both axes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A stride is as large as the kernel, or larger, or as the constructor has it.</exception>
    public static Window2d Overlapping(Size kernel_size, Size stride, Size? padding, Size? dilation, bool ceil_mode)
    {
        var window = new Window2d(kernel_size, stride, padding, dilation, ceil_mode);
        for (var axis = 0; axis < 2; axis++)
        {
            if (window.stride[axis] >= window.kernel_size[axis])
            {
                throw new ArgumentOutOfRangeException(
                    nameof(stride), window.stride[axis],
                    $"expected windows that overlap, a stride smaller than the kernel's {window.kernel_size[axis]} on the axis {(axis == 0 ? "H" : "W")}");
            }
        }

        return window;
    }

    /// <summary>Height and width of the kernel.</summary>
    public IReadOnlyList<long> KernelSize => kernel_size;

    /// <summary>Distance of neighbouring pixels of a window, down and across.</summary>
    public IReadOnlyList<long> Dilation => dilation;

    /// <summary>Pixel k of every window, (K, N, C, H', W'), k in row-major order; <paramref name="fill"/> where there is none.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public Tensor Of(Tensor x, double fill)
    {
        var (height, width) = OutputSize(x);
        Check.Memory([.. kernel_size, Math.Max(1, x.size(0)), x.size(1), height, width], x.dtype, nameof(kernel_size));
        using var scope = NewDisposeScope();
        var padded = nn.functional.pad(
            x, [padding[1], Beyond(x, 1, width), padding[0], Beyond(x, 0, height)], PaddingModes.Constant, fill);
        var pixels = new List<Tensor>();
        for (var i = 0L; i < kernel_size[0]; i++)
        {
            var rows = padded.slice(2, i * dilation[0], (i * dilation[0]) + ((height - 1) * stride[0]) + 1, stride[0]);
            for (var j = 0L; j < kernel_size[1]; j++)
            {
                pixels.Add(rows.slice(3, j * dilation[1], (j * dilation[1]) + ((width - 1) * stride[1]) + 1, stride[1]));
            }
        }

        return stack(pixels).MoveToOuterDisposeScope();
    }

    /// <summary>The maximum of every window, (N, C, H', W'); the first of equal ones takes the gradient.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public Tensor Largest(Tensor x)
    {
        OutputSize(x);
        return nn.functional.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode);
    }

    /// <summary>The mean of every window's pixels in the map, (N, C, H', W').</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public Tensor Average(Tensor x)
    {
        OutputSize(x);
        if (dilation is [1, 1])
        {
            return nn.functional.avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad: false);
        }

        using var scope = NewDisposeScope();
        return (Of(x, 0).sum(dim: 0) / Valid(x).sum(dim: 0)).MoveToOuterDisposeScope();
    }

    /// <summary>1 where pixel k of a window lies in the map and 0 where not, (K, 1, 1, H', W'), in <paramref name="x"/>'s dtype.</summary>
    public Tensor Valid(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Of(ones([1, 1, x.size(2), x.size(3)], dtype: x.dtype, device: x.device), 0).MoveToOuterDisposeScope();
    }

    /// <summary>The maximum of every window and its position in the map, h·W + w, both (N, C, H', W'); over ties the first.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public (Tensor Values, Tensor Positions) Max(Tensor x)
    {
        OutputSize(x);
        return nn.functional.max_pool2d_with_indices(x, kernel_size, stride, padding, dilation, ceil_mode);
    }

    /// <summary>Whether two windows may share a pixel.</summary>
    public bool Overlap => stride[0] < Span(0) || stride[1] < Span(1);

    /// <summary>H' and W' for a map.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public (long Height, long Width) OutputSize(Tensor x)
    {
        Check.FeatureMap(x);
        return (Windows(x, 0), Windows(x, 1));
    }

    private long Windows(Tensor x, int axis)
    {
        var size = x.size(2 + axis);
        var room = size + (2 * padding[axis]) - Span(axis);
        if (room < 0 || (padding[axis] > 0 && size < dilation[axis]))   // between dilated pixels a smaller map could lie unseen
        {
            throw new ArgumentException(
                $"expected a map large enough for a window of {kernel_size[0]}×{kernel_size[1]} with padding {padding[0]}, {padding[1]} "
                + $"and dilation {dilation[0]}, {dilation[1]}, got {x.size(2)}×{x.size(3)} (H×W)", nameof(x));
        }

        var windows = (room / stride[axis]) + 1;
        return ceil_mode && room % stride[axis] > 0 && windows * stride[axis] < size + padding[axis] ? windows + 1 : windows;
    }

    private long Beyond(Tensor x, int axis, long windows) =>
        Math.Max(0, ((windows - 1) * stride[axis]) + Span(axis) - x.size(2 + axis) - padding[axis]);

    private long Span(int axis) => (dilation[axis] * (kernel_size[axis] - 1)) + 1;

    /// <summary>The settings, as <see cref="Script"/> reads them.</summary>
    public (string, object?)[] Attributes =>
        [(nameof(kernel_size), kernel_size), (nameof(stride), stride), (nameof(padding), padding), (nameof(dilation), dilation), (nameof(ceil_mode), ceil_mode)];

    /// <summary>TorchScript methods: <c>self.windows(x, fill)</c> is <see cref="Of"/>, <c>self.valid(x)</c> is <see cref="Valid"/>,
    /// <c>self.largest(x)</c> is <see cref="Largest"/>, <c>self.average(x)</c> is <see cref="Average"/>.</summary>
    public const string Script =
        """
        def windows(self, x: Tensor, fill: float) -> Tensor:
            count: List[int] = []
            beyond: List[int] = []
            for axis in range(2):
                size = x.size(2 + axis)
                (pad, step) = (self.padding[axis], self.stride[axis])
                span = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
                room = size + 2 * pad - span
                if room < 0 or (pad > 0 and size < self.dilation[axis]):
                    ops.prim.RaiseException("the map is too small for the window")
                n = room // step + 1
                if self.ceil_mode and room % step > 0 and n * step < size + pad:
                    n = n + 1
                count.append(n)
                beyond.append(max(0, (n - 1) * step + span - size - pad))
            padded = torch.constant_pad_nd(x, [self.padding[1], beyond[1], self.padding[0], beyond[0]], fill)
            pixels: List[Tensor] = []
            for i in range(self.kernel_size[0]):
                top = i * self.dilation[0]
                rows = padded.slice(2, top, top + (count[0] - 1) * self.stride[0] + 1, self.stride[0])
                for j in range(self.kernel_size[1]):
                    left = j * self.dilation[1]
                    pixels.append(rows.slice(3, left, left + (count[1] - 1) * self.stride[1] + 1, self.stride[1]))
            return torch.stack(pixels, 0)

        def valid(self, x: Tensor) -> Tensor:
            return self.windows(torch.ones([1, 1, x.size(2), x.size(3)], dtype=x.dtype, device=x.device), 0.0)

        def largest(self, x: Tensor) -> Tensor:
            return torch.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

        def average(self, x: Tensor) -> Tensor:
            if self.dilation[0] == 1 and self.dilation[1] == 1:
                return torch.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, False)
            return self.windows(x, 0.0).sum(0) / self.valid(x).sum(0)

        """;
}
