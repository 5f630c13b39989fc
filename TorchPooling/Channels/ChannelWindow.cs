using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A window over channels, and the maximum in it by libtorch's max pooling.</summary>
internal readonly struct ChannelWindow
{
    private readonly long kernel_size;
    private readonly long stride;
    private readonly long padding;
    private readonly long dilation;
    private readonly bool ceil_mode;

    public ChannelWindow(long kernel_size, long stride, long padding, long dilation, bool ceil_mode)
    {
        Check.Range(kernel_size, 1, int.MaxValue, nameof(kernel_size));
        Check.Range(stride, 1, int.MaxValue, nameof(stride));
        Check.Range(padding, 0, int.MaxValue, nameof(padding));
        Check.Range(dilation, 1, int.MaxValue, nameof(dilation));
        if (padding > kernel_size / 2)
        {
            throw new ArgumentOutOfRangeException(nameof(padding), padding, $"expected a padding of at most half the kernel's {kernel_size}");
        }

        (this.kernel_size, this.stride, this.padding, this.dilation, this.ceil_mode) = (kernel_size, stride, padding, dilation, ceil_mode);
    }

    public (string, object?)[] Attributes =>
        [(nameof(kernel_size), kernel_size), (nameof(stride), stride), (nameof(padding), padding), (nameof(dilation), dilation), (nameof(ceil_mode), ceil_mode)];

    public Tensor Max(Tensor x)
    {
        Check.SecondDimension(x);
        var channels = x.size(1);
        if (channels + (2 * padding) <= dilation * (kernel_size - 1) || (padding > 0 && channels < dilation))   // between dilated channels fewer could lie unseen
        {
            throw new ArgumentException(
                $"expected channels enough for a window of {kernel_size} with padding {padding} and dilation {dilation}, got {channels} in {Check.Shape(x)}",
                nameof(x));
        }

        using var scope = NewDisposeScope();
        var rest = x.shape.Skip(2).Aggregate(1L, (product, size) => product * size);
        var y = nn.functional.max_pool2d(
            x.reshape(x.size(0), 1, channels, rest), [kernel_size, 1], [stride, 1], [padding, 0], [dilation, 1], ceil_mode);
        return y.reshape([x.size(0), y.size(2), .. x.shape.Skip(2)]).MoveToOuterDisposeScope();
    }

    /// <summary>TorchScript's <see cref="Max"/>.</summary>
    public const string Script =
        """
        def channel_max(self, x: Tensor, kernel_size: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> Tensor:
            if padding > 0 and x.size(1) < dilation:
                ops.prim.RaiseException("there are too few channels for the window")
            rest = 1
            for d in range(2, x.dim()):
                rest = rest * x.size(d)
            y = torch.max_pool2d(x.reshape([x.size(0), 1, x.size(1), rest]), [kernel_size, 1], [stride, 1], [padding, 0], [dilation, 1], ceil_mode)
            shape = [x.size(0), y.size(2)]
            for d in range(2, x.dim()):
                shape.append(x.size(d))
            return y.reshape(shape)

        """;
}
