using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Power pooling: the Lᵖ norm of each window, or its power mean.</summary>
/// <remarks>
/// <para>y = (Σ |x|ᵖ)^(1/p), or with <c>mean</c> (mean |x|ᵖ)^(1/p), over the pixels of the window that lie in the map. p = 2 is the
/// L² norm, p = 1 with <c>mean</c> the average of |x|, and p → ∞ the maximum of |x|.</para>
/// <para>Computed as m·(Σ (|x|/m)ᵖ)^(1/p), m the largest |x| of the window, so that no power overflows or vanishes. A pixel of 0 has
/// the gradient 0, where the slope is none or infinite, and so has one below 10⁻²⁴·m. A window with ±∞ gives ∞, one with NaN gives
/// NaN; their gradient is NaN. On a CUDA device p = 2 is computed from squares in float64, in which none of a float32 overflows or
/// vanishes; there finite pixels beside ±∞ have the gradient 0.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding does not count.</para>
/// <para>With <c>learn_p</c> the parameter <c>raw_p</c>, shape (1), stands for p = 0.1 + softplus(<c>raw_p</c>): no training step can
/// leave the valid range. Below 0.1 the sum of nine equal pixels is more than 10⁹ times as large as one.</para>
/// <para>Sermanet, Chintala, LeCun: Convolutional Neural Networks Applied to House Numbers Digit Classification, ICPR 2012; PyTorch's
/// <c>LPPool2d</c> is the sum without the absolute value. Learned p: Gulcehre, Cho, Pascanu, Bengio: Learned-Norm Pooling for Deep
/// Feedforward and Recurrent Neural Networks, ECML PKDD 2014.</para>
/// </remarks>
public sealed class PowerPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter? raw_p;   // a field's name is its state_dict key
    private readonly double p;
    private readonly bool mean;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="p">The power, or its start where it is learned; above 0.1, at most 10000.</param>
    /// <param name="mean">Whether the powers are averaged, not summed.</param>
    /// <param name="learn_p">Whether p is a parameter.</param>
    /// <param name="device">Where the parameter lives; the CPU where null.</param>
    /// <param name="dtype">The parameter's dtype; float32 where null.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries, or <paramref name="dtype"/> is no floating-point
    /// type.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is out of range, an entry is too small, or the padding more
    /// than half the kernel.</exception>
    public PowerPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false, double p = 2,
        bool mean = false, bool learn_p = false, Device? device = null, ScalarType? dtype = null)
        : base(nameof(PowerPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        this.p = LearnedNumber.Checked(p, pooling.LeastPower, nameof(p));
        this.mean = mean;
        Check.ParameterType(dtype);
        Check.ParameterDevice(device);
        raw_p = learn_p ? LearnedNumber.Parameter(p, pooling.LeastPower, device, dtype) : null;
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.power_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.PowerPool(x, raw_p, p, mean, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.SlicedScript +
        $"""
        def pool(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
        {(raw_p is null && p == 2 ? SquareScript : "")}    p = {LearnedNumber.Script(raw_p, nameof(p))}
            if self.quick(wide) and bool(p >= 1):
                square = bool(p == 2) and not p.requires_grad
                if square:
                    total = self.total(wide.square())
                elif p.requires_grad:
                    hole = (wide == 0).to(wide.dtype)  # the derivative that TorchScript has of 0 to the p is NaN
                    total = self.total((wide.abs() + hole).pow(p) - hole)
                else:
                    total = self.total(wide.abs().pow_(float(p)))
                if self.kept_digits(total, wide):
                    zero = self.is_zero(total)
                    if self.mean:
                        total = total / self.valid(wide).sum(0)
                    root = total + zero
                    if square:
                        y = root.sqrt() - zero
                    else:
                        y = root.pow(p.reciprocal()) - zero
                    return y.to(x.dtype)
            size = self.windows(wide, 0.0).abs()
            largest = size.detach().amax([0])
            zero = (largest == 0).to(wide.dtype)
            ratio = size / (largest + zero)
            hole = (ratio == 0).to(wide.dtype)
            faint = (ratio.detach() + hole).pow(p) - hole
            total = torch.where(ratio > 1e-24, ratio.clamp_min(1e-24).pow(p), faint).sum(0)
            if self.mean:
                total = total / self.valid(wide).sum(0)
            y = (total + zero).pow(p.reciprocal()) * largest
            return torch.where(largest.isfinite(), y, largest).to(x.dtype)
        """,
        [.. window.Attributes, (nameof(mean), mean), raw_p is null ? (nameof(p), p) : ("least", pooling.LeastPower)]);

    private const string SquareScript =
        """
            if wide.is_cuda and self.few_kernels(wide) and wide.dtype != 7:
                squares = wide.double().square()
                if self.mean:
                    total = self.average(squares)
                else:
                    total = self.pooled_sum(squares)
                zero = (total == 0).to(total.dtype)
                return ((total + zero).sqrt() - zero).to(x.dtype)

        """;
}

public static partial class pooling
{
    internal const double LeastPower = 0.1;

    /// <summary>The function behind <see cref="PowerPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that do not count; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="p">The power; above 0.1, at most 10000.</param>
    /// <param name="mean">Whether the powers are averaged, not summed.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is out of range, an entry is too small, or the padding more
    /// than half the kernel.</exception>
    public static Tensor power_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        double p = 2, bool mean = false)
    {
        LearnedNumber.Checked(p, LeastPower, nameof(p));
        var window = new Window2d(kernel_size, stride, padding, dilation, ceil_mode);
        return PowerPool(x, null, p, mean, window);
    }

    /// <param name="x">Feature map.</param>
    /// <param name="raw">Where p is learned.</param>
    /// <param name="number">p where it is not.</param>
    /// <param name="mean">Whether the powers are averaged.</param>
    /// <param name="window">The windows.</param>
    internal static Tensor PowerPool(Tensor x, Parameter? raw, double number, bool mean, Window2d window) =>
        Slices.Of(x, slice => PowerPoolOf(slice, raw, number, mean, window));

    private static Tensor PowerPoolOf(Tensor x, Parameter? raw, double number, bool mean, Window2d window)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        if (raw is null && number == 2 && IsCudaFloat32(wide) && window.TakesFewKernels(wide))
        {
            return LengthPool(wide, mean, window).to(x.dtype).MoveToOuterDisposeScope();
        }

        var p = LearnedNumber.Of(raw, number, LeastPower, wide);
        if (Window2d.IsQuick(wide) && QuickPowerPool(wide, p, mean, window) is { } quick)
        {
            return quick.to(x.dtype).MoveToOuterDisposeScope();
        }

        var size = window.Of(wide, 0).abs();
        var largest = size.detach().amax([0]);
        var zero = (largest == Held(0)).to(wide.dtype);   // 1 for a window of zeros, whose root would have an infinite slope
        var ratio = size / largest.Plus(zero);
        var total = where(ratio > Held(1e-24), ratio.clamp_min(Held(1e-24)).pow(p), ratio.detach().pow(p)).sum(dim: 0);   // below, a slope leaves float32
        if (mean)
        {
            total = total / window.Valid(wide).sum(dim: 0);
        }

        var y = total.Plus(zero).pow(p.reciprocal()) * largest;
        return where(largest.isfinite(), y, largest).to(x.dtype).MoveToOuterDisposeScope();
    }

    private static bool IsCudaFloat32(Tensor x) => x.device_type == DeviceType.CUDA && x.dtype == ScalarType.Float32;

    /// <summary>The L² norm or root mean square in float64, in which no square of a float32 overflows or vanishes.</summary>
    internal static Tensor LengthPool(Tensor wide, bool mean, Window2d window)
    {
        var squares = wide.to(ScalarType.Float64).Squared();
        var total = mean ? window.Average(squares) : window.PooledSum(squares);
        var zero = (total == Held(0)).to(total.dtype);   // 1 for a window of zeros, whose root would have an infinite slope
        return total.Plus(zero).sqrt() - zero;
    }

    /// <summary>The same from one sum of the map's powers; null where p &lt; 1, whose slope at 0 is infinite, or a sum would lose digits.
    /// </summary>
    private static Tensor? QuickPowerPool(Tensor wide, Tensor p, bool mean, Window2d window)
    {
        var number = p.ToSingle();
        if (number < 1)
        {
            return null;
        }

        var square = number == 2 && !p.requires_grad;
        using var power = square ? wide.Squared() : p.requires_grad ? wide.abs().pow(p) : wide.abs().pow_(Held(number));
        var total = window.Sum(power);
        if (!Window2d.KeptDigits(total, () => window.Sum(wide.detach().abs())))
        {
            return null;
        }

        var zero = Window2d.IsZero(total);
        if (mean)
        {
            total = total / window.Valid(wide).sum(dim: 0);
        }

        return (square ? total.Plus(zero).sqrt() : total.Plus(zero).pow(p.reciprocal())) - zero;
    }
}
