using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Max pooling across channels: a window slides over dimension 1, each position for itself.</summary>
/// <remarks>
/// <para>y[n,c,…] = max over i &lt; kernel_size of x[n, c·stride − padding + i·dilation, …], over the channels that exist. Over ties the first
/// channel takes the gradient; NaN wins.</para>
/// <para>Shape: input (N, C, …), output (N, C', …), C' as the length of <c>MaxPool1d</c>'s output, in the input's dtype.</para>
/// <para>Neighbouring outputs share channels where the stride is smaller than the kernel. <see cref="Maxout"/> cuts the channels into
/// groups that share none.</para>
/// </remarks>
public sealed class ChannelMaxPool : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly ChannelWindow window;

    /// <param name="kernel_size">Channels of a window.</param>
    /// <param name="stride">Channels from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Channels before the first and after the last that are never a maximum; at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring channels of a window.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded channels.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is too small or too large, or the padding more than half the kernel.</exception>
    public ChannelMaxPool(long kernel_size, long? stride = null, long padding = 0, long dilation = 1, bool ceil_mode = false)
        : base(nameof(ChannelMaxPool)) => window = new(kernel_size, stride ?? kernel_size, padding, dilation, ceil_mode);

    /// <summary>See <see cref="pooling.channel_max_pool"/>.</summary>
    public override Tensor forward(Tensor x) => window.Max(x);

    ScriptDefinition IScriptable.script() => new(
        ChannelWindow.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.channel_max(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="ChannelMaxPool"/>.</summary>
    /// <param name="x">Shape (N, C, …).</param>
    /// <param name="kernel_size">Channels of a window.</param>
    /// <param name="stride">Channels from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Channels before the first and after the last that are never a maximum; at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring channels of a window.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded channels.</param>
    /// <returns>Shape (N, C', …), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has fewer than two dimensions, an empty one other than N, no
    /// floating-point dtype, or too few channels for one window.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is too small or too large, or the padding more than half the kernel.</exception>
    public static Tensor channel_max_pool(
        Tensor x, long kernel_size, long? stride = null, long padding = 0, long dilation = 1, bool ceil_mode = false) =>
        new ChannelWindow(kernel_size, stride ?? kernel_size, padding, dilation, ceil_mode).Max(x);
}
