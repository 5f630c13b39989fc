using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Stochastic pooling: in training one pixel of each window is drawn, in eval mode the pixels are averaged by the same
/// probabilities.</summary>
/// <remarks>
/// <para>With a = max(x, 0) over the pixels of the window that lie in the map, training draws pixel i with the probability
/// pᵢ = aᵢ/Σa and gives aᵢ; eval mode gives Σ pᵢ·aᵢ = Σ a²/Σ a. A window without a positive pixel gives 0.</para>
/// <para>In training the drawn pixel has the gradient, in eval mode every positive one; negative pixels have none. A window with +∞ or
/// NaN gives that.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding is never drawn.</para>
/// <para>The TorchScript form draws from PyTorch's own generator, and so does this one where it is given none.</para>
/// <para>Zeiler, Fergus: Stochastic Pooling for Regularization of Deep Convolutional Neural Networks, ICLR 2013.</para>
/// </remarks>
public sealed class StochasticPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Window2d window;
    private readonly Generator? generator;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that are never drawn; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="generator">Where the draws come from, on the device of the input; the global generator there where null. TorchSharp's
    /// generators are of the CPU: for a map on a GPU leave null, and seed by <c>torch.random.manual_seed</c>. It stays the
    /// caller's, who disposes it after the module.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public StochasticPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false, Generator? generator = null)
        : base(nameof(StochasticPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        this.generator = generator;
    }

    /// <summary>See <see cref="pooling.stochastic_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.StochasticPool(x, window, training, generator);

    ScriptDefinition IScriptable.script() => new(
        Window2d.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            active = self.windows(wide, 0.0).relu()
            largest = active.detach().amax([0])
            zero = (largest == 0).to(wide.dtype)
            share = active / (largest + zero)
            if self.training:
                reached = share.detach().cumsum(0)
                drawn = torch.rand(largest.size(), dtype=wide.dtype, device=wide.device) * reached[-1]
                index = (reached <= drawn).sum(0, True).clamp_max(share.size(0) - 1)
                y = active.gather(0, index)[0]
            else:
                y = share.square().sum(0) / (share.sum(0) + zero) * largest
            return torch.where(largest.isfinite(), y, largest).to(x.dtype)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="StochasticPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that are never drawn; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="training">Whether pixels are drawn, not averaged.</param>
    /// <param name="generator">Where the draws come from, on the device of the input; the global generator there where null. TorchSharp's
    /// generators are of the CPU: for a map on a GPU leave null, and seed by <c>torch.random.manual_seed</c>.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries, or <paramref name="generator"/> is disposed or on another device.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor stochastic_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        bool training = true, Generator? generator = null) =>
        StochasticPool(x, new Window2d(kernel_size, stride, padding, dilation, ceil_mode), training, generator);

    internal static Tensor StochasticPool(Tensor x, Window2d window, bool training, Generator? generator)
    {
        Check.FeatureMap(x);
        Check.FeatureMap(x);
        if (training)
        {
            Check.Generator(generator, x);
        }

        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var active = window.Of(wide, 0).relu();
        var largest = active.detach().amax([0]);
        var zero = (largest == 0).to(wide.dtype);   // 1 for a window without a positive pixel
        var share = active / (largest + zero);      // sums of these cannot overflow
        var y = training
            ? active.gather(0, Draw(share.detach(), generator))[0]
            : share.square().sum(dim: 0) / (share.sum(dim: 0) + zero) * largest;
        return where(largest.isfinite(), y, largest).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The first pixel whose cumulated share is beyond a uniform part of the whole, in each window, (1, N, C, H', W').</summary>
    private static Tensor Draw(Tensor share, Generator? generator)
    {
        var reached = share.cumsum(0);
        var drawn = rand(share.shape[1..], dtype: share.dtype, device: share.device, generator: generator) * reached[-1];
        return (reached <= drawn).sum(0, keepdim: true).clamp_max(share.size(0) - 1);   // a window of zeros draws none
    }
}
