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
    /// generators are of the CPU: for a map on a GPU leave null, and seed by <c>torch.cuda.manual_seed</c>. It stays the
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
        Window2d.SlicedScript +
        """
        def pool(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            active = wide.relu()
            if self.training:
                return self.draw(active).to(x.dtype)
            if self.quick(active):
                squares = self.total(active.square())
                total = self.total(active)
                if self.kept_digits(squares, active, total):
                    return (squares / (total + self.is_zero(total))).to(x.dtype)
            pixels = self.windows(active, 0.0)
            largest = pixels.detach().amax([0])
            zero = (largest == 0).to(wide.dtype)
            share = pixels / (largest + zero)
            y = share.square().sum(0) / (share.sum(0) + zero) * largest
            return torch.where(largest.isfinite(), y, largest).to(x.dtype)

        def draw(self, active: Tensor) -> Tensor:
            pixels = self.pixels(active.detach(), 0.0)
            largest = pixels[0]
            for k in range(1, len(pixels)):
                largest = torch.maximum(largest, pixels[k])
            whole = largest + (largest == 0).to(active.dtype)
            total = torch.zeros_like(whole)
            for pixel in pixels:
                total.add_(pixel / whole)
            drawn = torch.minimum(total * torch.rand(total.size(), dtype=total.dtype, device=total.device), torch.nextafter(total, torch.zeros_like(total)))
            reached = torch.zeros_like(total)
            passed = torch.full_like(total, len(pixels))
            for pixel in pixels:
                passed.sub_(reached.add_(pixel / whole).sub(drawn).sign_().clamp_min_(0))
            found = largest.isfinite() & (passed < len(pixels))
            places = self.places(passed, active)
            y = active.flatten(2).gather(2, places.flatten(2)).reshape(largest.size())
            return torch.where(found, y, largest)
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
    /// generators are of the CPU: for a map on a GPU leave null, and seed by <c>torch.cuda.manual_seed</c>.</param>
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
        if (training)
        {
            Check.FeatureMap(x);
            Check.Generator(generator, x);
        }

        return Slices.Of(x, slice => StochasticPoolOf(slice, window, training, generator));
    }

    private static Tensor StochasticPoolOf(Tensor x, Window2d window, bool training, Generator? generator)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var active = wide.relu();
        var y = training ? Draw(active, window, generator) : Expect(active, window);
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    private static Tensor Expect(Tensor active, Window2d window)
    {
        if (Window2d.IsQuick(active))
        {
            using var square = active.Squared();
            var squares = window.Sum(square);
            var total = window.Sum(active);
            if (Window2d.KeptDigits(squares, () => total))
            {
                return squares / total.Plus(Window2d.IsZero(total));
            }
        }

        var pixels = window.Of(active, 0);
        var largest = pixels.detach().amax([0]);
        var zero = (largest == Held(0)).to(active.dtype);   // 1 for a window without a positive pixel
        var share = pixels / largest.Plus(zero);        // sums of these cannot overflow
        var y = share.Squared().sum(dim: 0) / share.sum(dim: 0).Plus(zero) * largest;
        return where(largest.isfinite(), y, largest);
    }

    private static Tensor Draw(Tensor active, Window2d window, Generator? generator)
    {
        var (largest, drawn) = DrawNumbers(active, window, generator);
        var y = active.flatten(2).gather(2, window.Places(drawn, active).flatten(2)).reshape(largest.shape);
        var found = largest.isfinite() & (drawn < Held(window.KernelSize[0] * window.KernelSize[1]));   // a window of zeros draws none
        return where(found, y, largest);
    }

    /// <summary>The maximum of each window, and the number of the first pixel whose cumulated share is beyond a uniform part of the
    /// whole, or of pixels where there is none.</summary>
    private static (Tensor Largest, Tensor Drawn) DrawNumbers(Tensor active, Window2d window, Generator? generator)
    {
        using var scope = NewDisposeScope();
        var pixels = window.Pixels(active.detach(), 0);
        var largest = pixels[0].alias();   // a clone of every other pixel would be contiguous
        foreach (var pixel in pixels.Skip(1))
        {
            using var smaller = largest;
            largest = largest.maximum(pixel);
        }

        using var whole = largest.masked_fill(largest == Held(0), Held(1));
        var total = zeros_like(whole);
        foreach (var pixel in pixels)
        {
            using var share = pixel / whole;   // sums of these cannot overflow
            total.add_(share, Held(1));
        }

        var drawn = Part(total, generator);
        var (reached, passed) = (total.zero_(), full_like(total, Held(pixels.Count)));
        foreach (var pixel in pixels)
        {
            using var share = pixel / whole;
            using var beyond = reached.add_(share, Held(1)).sub(drawn).sign_().clamp_min_(Held(0));   // 1, or 0; a comparison takes three times as long
            passed.sub_(beyond);
        }

        return (largest.MoveToOuterDisposeScope(), passed.MoveToOuterDisposeScope());
    }

    /// <summary>A uniform part of each number, below it.</summary>
    private static Tensor Part(Tensor total, Generator? generator)
    {
        using var scope = NewDisposeScope();
        var part = total * rand(total.shape, dtype: total.dtype, device: total.device, generator: generator);   // in the total's layout
        return part.minimum(total.nextafter(zeros_like(total))).MoveToOuterDisposeScope();   // rounded, it may be the whole
    }
}
