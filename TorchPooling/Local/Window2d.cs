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
        using var scope = NewDisposeScope();
        return (TakesFewKernels(x) ? Unfolded(x, fill) : stack(Pixels(x, fill))).MoveToOuterDisposeScope();
    }

    /// <summary>The same of windows without dilation, in few kernels, in the caller's scope.</summary>
    internal Tensor Unfolded(Tensor x, double fill)
    {
        var (height, width) = OutputSize(x);
        var rows = Padded(x, fill, height, width).unfold(2, kernel_size[0], stride[0]);
        return rows.unfold(3, kernel_size[1], stride[1]).permute(4, 5, 0, 1, 2, 3).flatten(0, 1);
    }

    /// <summary>The same one by one, K views (N, C, H', W') of one map, in the caller's scope.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public List<Tensor> Pixels(Tensor x, double fill)
    {
        var (height, width) = OutputSize(x);
        var padded = Padded(x, fill, height, width);
        var pixels = new List<Tensor>();
        for (var i = 0L; i < kernel_size[0]; i++)
        {
            var rows = padded.slice(2, i * dilation[0], (i * dilation[0]) + ((height - 1) * stride[0]) + 1, stride[0]);
            for (var j = 0L; j < kernel_size[1]; j++)
            {
                pixels.Add(rows.slice(3, j * dilation[1], (j * dilation[1]) + ((width - 1) * stride[1]) + 1, stride[1]));
            }
        }

        return pixels;
    }

    /// <summary>The map within as much of the padding as windows reach.</summary>
    private Tensor Padded(Tensor x, double fill, long height, long width)
    {
        CheckMemory(x, height, width);
        long[] around = [padding[1], Beyond(x, 1, width), padding[0], Beyond(x, 0, height)];
        return around is [0, 0, 0, 0] ? x : nn.functional.pad(x, around, PaddingModes.Constant, fill);   // which copies in any case
    }

    /// <summary>The place h·W + w of a pixel of each window in its map, int64; some place in the map for a pixel beyond it.</summary>
    /// <param name="pixel">Its number in the window, from 0 in row-major order, (N, C, H', W').</param>
    /// <param name="x">Feature map.</param>
    public Tensor Places(Tensor pixel, Tensor x)
    {
        using var scope = NewDisposeScope();
        var row = Indices(kernel_size[0], device: x.device).mul_(Held(dilation[0] * x.size(3))).unsqueeze(1);
        var offset = row.Plus(Indices(kernel_size[1], device: x.device) * Held(dilation[1]));
        var top = (Indices(pixel.size(2), device: x.device) * Held(stride[0])).sub_(Held(padding[0])).mul_(Held(x.size(3))).unsqueeze(1);
        var first = top.Plus((Indices(pixel.size(3), device: x.device) * Held(stride[1])).sub_(Held(padding[1])));
        using var k = pixel.to(ScalarType.Int64).clamp_(Held(0), Held(offset.numel() - 1));
        return offset.take(k).add_(first, Held(1)).clamp_(Held(0), Held((x.size(2) * x.size(3)) - 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Whether sums over windows take the quick way: on the CPU, in float32. There a depthwise convolution is many times as
    /// fast as a pool and exact, and to look at the sums costs little; a GPU would round to TF32 and wait.</summary>
    public static bool IsQuick(Tensor x) => x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && x.numel() > 0;

    /// <summary>Whether these windows are those of libtorch's own kernels, and the map is on a GPU, which takes longer to start a kernel
    /// than to run it.</summary>
    public bool TakesFewKernels(Tensor x) => x.device_type != DeviceType.CPU && dilation is [1, 1];

    /// <summary>The sum of every window's pixels by libtorch's average pool, (N, C, H', W'), of windows without dilation.</summary>
    public Tensor PooledSum(Tensor x)
    {
        OutputSize(x);
        return nn.functional.avg_pool2d(Averaged(x), kernel_size, stride, padding, ceil_mode, divisor_override: 1);
    }

    /// <summary>Whether all pixels of all windows lie in the map.</summary>
    public bool IsInside(Tensor x)
    {
        var (height, width) = OutputSize(x);
        return padding is [0, 0] && Beyond(x, 0, height) == 0 && Beyond(x, 1, width) == 0;
    }

    /// <summary>The sum of every window's pixels, each times its weight, (N, C, H', W'); padding counts as 0.</summary>
    /// <param name="x">Feature map.</param>
    /// <param name="weight">Shape (1 or C, 1, kH, kW).</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public Tensor Sum(Tensor x, Tensor weight)
    {
        using var scope = NewDisposeScope();
        if (!IsQuick(x))
        {
            return (Of(x, 0) * weight.flatten(2).permute(2, 1, 0).unsqueeze(3).unsqueeze(4)).sum(dim: 0).MoveToOuterDisposeScope();
        }

        var (height, width) = OutputSize(x);
        CheckMemory(x, height, width);
        var (below, beside) = (Beyond(x, 0, height) - padding[0], Beyond(x, 1, width) - padding[1]);
        var padded = below > 0 || beside > 0   // in ceil mode
            ? nn.functional.pad(x, [0, Math.Max(0, beside), 0, Math.Max(0, below)])
            : x;
        if (x.size(1) < 16)   // which the convolution would fill up to 16
        {
            padded = padded.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        }

        var y = nn.functional.conv2d(
            padded, weight.expand(x.size(1), 1, kernel_size[0], kernel_size[1]), null, stride, padding, dilation, groups: x.size(1));
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>The sum of every window's pixels, (N, C, H', W').</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, or too small for one window.</exception>
    public Tensor Sum(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (height, width) = OutputSize(x);
        CheckMemory(x, height, width);
        return Sum(x, ones([1, 1, .. kernel_size], dtype: x.dtype, device: x.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Whether sums of powers kept their digits in float32: none is beyond it, and none so small that pixels vanished, but
    /// where all pixels of the window are 0.</summary>
    /// <param name="powers">A power of at least 1 of |x|, summed over each window.</param>
    /// <param name="sizes">The sum of |x| over each window, asked for where a power is small.</param>
    public static bool KeptDigits(Tensor powers, Func<Tensor> sizes)
    {
        using var scope = NewDisposeScope();
        var sums = powers.detach();
        return sums.amax(All).ToSingle() < 1e37f   // NaN where one is
            && (Least(sums) > 1e-30f || sums.rsub(1e-30).sign_().clamp_min_(Held(0)).mul_(sizes().detach()).amax(All).ToSingle() == 0);
    }

    /// <summary>1 where a sum of numbers of at least 0 is 0, else 0; a comparison takes six times as long.</summary>
    public static Tensor IsZero(Tensor sums)
    {
        using var scope = NewDisposeScope();
        return sums.detach().sign().rsub(1).MoveToOuterDisposeScope();
    }

    /// <summary>The least number of (N, C, H', W'), on the CPU; NaN where one is.</summary>
    public static float Least(Tensor sums)
    {
        using var least = sums.detach().amin(All);
        return least.ToSingle();
    }

    private static readonly long[] All = [0, 1, 2, 3];   // named, they are reduced in the order of the memory: ten times as fast in channels-last

    private void CheckMemory(Tensor x, long height, long width) =>
        Check.Memory([.. kernel_size, Math.Max(1, x.size(0)), x.size(1), height, width], x.dtype, nameof(kernel_size));

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
            return nn.functional.avg_pool2d(Averaged(x), kernel_size, stride, padding, ceil_mode, count_include_pad: false);
        }

        using var scope = NewDisposeScope();
        return (Sum(x) / Valid(x).sum(dim: 0)).MoveToOuterDisposeScope();
    }

    /// <summary>The map in a layout of which libtorch's average pool has the right gradient: on a GPU, from channels-last with padding,
    /// it is wrong (PyTorch's issue 188344, seen with 2.11, mended in July 2026).</summary>
    /// <remarks>contiguous() leaves the strides of a single channel, or pixel, in which libtorch still sees channels-last.</remarks>
    private Tensor Averaged(Tensor x) => x.device_type != DeviceType.CPU && padding is not [0, 0] ? x.flatten().view(x.shape) : x;

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

    /// <summary>TorchScript methods: <c>self.windows(x, fill)</c> is <see cref="Of"/>, <c>self.pixels(x, fill)</c> is <see cref="Pixels"/>,
    /// <c>self.padded(x, fill, beyond)</c> is <see cref="Padded"/>, <c>self.averaged(x)</c> is <see cref="Averaged"/>,
    /// <c>self.valid(x)</c> is <see cref="Valid"/>, <c>self.largest(x)</c> is <see cref="Largest"/>, <c>self.average(x)</c> is
    /// <see cref="Average"/>, <c>self.pooled_sum(x)</c> is <see cref="PooledSum"/>, <c>self.places(pixel, x)</c> is <see cref="Places"/>,
    /// <c>self.few_kernels(x)</c> is <see cref="TakesFewKernels"/>, <c>self.inside(x)</c> is <see cref="IsInside"/>,
    /// <c>self.quick(x)</c> is <see cref="IsQuick"/>, <c>self.weighted(x, weight)</c> and <c>self.total(x)</c> are
    /// <see cref="Sum(Tensor, Tensor)"/> and <see cref="Sum(Tensor)"/>, <c>self.kept_digits(powers, x)</c> is <see cref="KeptDigits"/>, of
    /// the sums of |x| where it is not given them, <c>self.is_zero(sums)</c> is <see cref="IsZero"/>.</summary>
    public const string Script =
        """
        def output_size(self, x: Tensor) -> Tuple[List[int], List[int]]:
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
            return (count, beyond)

        def padded(self, x: Tensor, fill: float, beyond: List[int]) -> Tensor:
            if self.padding[0] + self.padding[1] + beyond[0] + beyond[1] == 0:
                return x
            return torch.constant_pad_nd(x, [self.padding[1], beyond[1], self.padding[0], beyond[0]], fill)

        def pixels(self, x: Tensor, fill: float) -> List[Tensor]:
            (count, beyond) = self.output_size(x)
            padded = self.padded(x, fill, beyond)
            pixels: List[Tensor] = []
            for i in range(self.kernel_size[0]):
                top = i * self.dilation[0]
                rows = padded.slice(2, top, top + (count[0] - 1) * self.stride[0] + 1, self.stride[0])
                for j in range(self.kernel_size[1]):
                    left = j * self.dilation[1]
                    pixels.append(rows.slice(3, left, left + (count[1] - 1) * self.stride[1] + 1, self.stride[1]))
            return pixels

        def windows(self, x: Tensor, fill: float) -> Tensor:
            if self.few_kernels(x):
                rows = self.padded(x, fill, self.output_size(x)[1]).unfold(2, self.kernel_size[0], self.stride[0])
                return rows.unfold(3, self.kernel_size[1], self.stride[1]).permute([4, 5, 0, 1, 2, 3]).flatten(0, 1)
            return torch.stack(self.pixels(x, fill), 0)

        def quick(self, x: Tensor) -> bool:
            return x.device.type == "cpu" and x.dtype == 6 and x.numel() > 0

        def few_kernels(self, x: Tensor) -> bool:
            return x.device.type != "cpu" and self.dilation[0] == 1 and self.dilation[1] == 1

        def pooled_sum(self, x: Tensor) -> Tensor:
            return torch.avg_pool2d(self.averaged(x), self.kernel_size, self.stride, self.padding, self.ceil_mode, True, 1)

        def averaged(self, x: Tensor) -> Tensor:
            if x.device.type != "cpu" and self.padding[0] + self.padding[1] > 0:
                return x.flatten().view(x.size())  # from channels-last, libtorch's gradient is wrong
            return x

        def inside(self, x: Tensor) -> bool:
            beyond = self.output_size(x)[1]
            return self.padding[0] + self.padding[1] + beyond[0] + beyond[1] == 0

        def places(self, pixel: Tensor, x: Tensor) -> Tensor:
            row = (torch.arange(self.kernel_size[0], device=x.device) * (self.dilation[0] * x.size(3))).unsqueeze(1)
            offset = row + torch.arange(self.kernel_size[1], device=x.device) * self.dilation[1]
            top = ((torch.arange(pixel.size(2), device=x.device) * self.stride[0] - self.padding[0]) * x.size(3)).unsqueeze(1)
            first = top + (torch.arange(pixel.size(3), device=x.device) * self.stride[1] - self.padding[1])
            k = pixel.long().clamp(0, offset.numel() - 1)
            return offset.take(k).add_(first).clamp_(0, x.size(2) * x.size(3) - 1)

        def weighted(self, x: Tensor, weight: Tensor) -> Tensor:
            if not self.quick(x):
                return (self.windows(x, 0.0) * weight.flatten(2).permute([2, 1, 0]).unsqueeze(3).unsqueeze(4)).sum(0)
            beyond = self.output_size(x)[1]
            (below, beside) = (beyond[0] - self.padding[0], beyond[1] - self.padding[1])
            padded = x
            if below > 0 or beside > 0:
                padded = torch.constant_pad_nd(x, [0, max(0, beside), 0, max(0, below)], 0.0)
            if x.size(1) < 16:
                padded = padded.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
            filters = weight.expand([x.size(1), 1, self.kernel_size[0], self.kernel_size[1]])
            return torch.conv2d(padded, filters, None, self.stride, self.padding, self.dilation, x.size(1))

        def total(self, x: Tensor) -> Tensor:
            return self.weighted(x, torch.ones([1, 1, self.kernel_size[0], self.kernel_size[1]], dtype=x.dtype, device=x.device))

        def kept_digits(self, powers: Tensor, x: Tensor, sizes: Optional[Tensor] = None) -> bool:
            sums = powers.detach()
            if not bool(sums.amax([0, 1, 2, 3]) < 1e+37):
                return False
            if bool(sums.amin([0, 1, 2, 3]) > 1e-30):
                return True
            if sizes is None:
                size = self.total(x.detach().abs())
            else:
                size = sizes.detach()
            return bool(torch.rsub(sums, 1e-30).sign_().clamp_min_(0).mul_(size).amax([0, 1, 2, 3]) == 0)

        def is_zero(self, sums: Tensor) -> Tensor:
            return torch.rsub(sums.detach().sign(), 1.0)

        def valid(self, x: Tensor) -> Tensor:
            return self.windows(torch.ones([1, 1, x.size(2), x.size(3)], dtype=x.dtype, device=x.device), 0.0)

        def largest(self, x: Tensor) -> Tensor:
            return torch.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

        def average(self, x: Tensor) -> Tensor:
            if self.dilation[0] == 1 and self.dilation[1] == 1:
                return torch.avg_pool2d(self.averaged(x), self.kernel_size, self.stride, self.padding, self.ceil_mode, False)
            return self.total(x) / self.valid(x).sum(0)

        """;

    /// <summary>The same for a pool that defines <c>pool</c>, and takes its <c>forward</c> from <see cref="Slices"/>.</summary>
    public static readonly string SlicedScript = Slices.Script + Script;
}
