using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>How the weight of a pixel falls with its distance d from the centre of its window.</summary>
public enum CenterWeighting
{
    /// <summary>exp(−d² / (2·width²)).</summary>
    Gaussian,

    /// <summary>1 − d/width, at least 10⁻⁶: a window that the border leaves only far pixels of has a weight, too.</summary>
    Linear,

    /// <summary>1 / (1 + d/width): half at the distance of one width.</summary>
    InverseDistance,
}

/// <summary>The average of each window, weighted by the distance of a pixel to the window's centre.</summary>
/// <remarks>
/// <para>y = Σ w(d)·x / Σ w(d) over the pixels of the window that lie in the map, w as <see cref="CenterWeighting"/> says. d is
/// Euclidean, in pixels of the map: neighbours in a window of dilation 2 are 2 apart. The centre of a window of even size lies
/// between its pixels. A large width gives the average.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype. Padding weighs nothing.</para>
/// <para>With <c>learn_width</c> the parameter <c>raw_width</c>, shape (1), stands for width = least + softplus(<c>raw_width</c>): no
/// training step can leave the valid range. The least width is 0.1, and for a learned linear weight the distance of the farthest
/// pixel, so that each pixel keeps a gradient.</para>
/// <para>Named by Goodfellow, Bengio, Courville, Deep Learning, 2016, section 9.3, as a weighted average based on the distance from
/// the central pixel; the three weights are this library's.</para>
/// </remarks>
public sealed class CenterWeightedAvgPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter? raw_width;   // a field's name is its state_dict key
    private readonly double width;
    private readonly double least;
    private readonly CenterWeighting weighting;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that weigh nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="weighting">How the weight falls with the distance.</param>
    /// <param name="width">How far it reaches, in pixels, or its start where it is learned; above the least width, at most 10000. Where
    /// null 1, and for <see cref="CenterWeighting.Linear"/> the distance of the farthest pixel + 1.</param>
    /// <param name="learn_width">Whether the width is a parameter.</param>
    /// <param name="device">Where the parameter lives; the CPU where null.</param>
    /// <param name="dtype">The parameter's dtype; float32 where null.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries, or <paramref name="dtype"/> is no floating-point
    /// type.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="weighting"/> is none, <paramref name="width"/> is out of range, an
    /// entry is too small, or the padding more than half the kernel.</exception>
    public CenterWeightedAvgPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        CenterWeighting weighting = CenterWeighting.Gaussian, double? width = null, bool learn_width = false, Device? device = null, ScalarType? dtype = null)
        : base(nameof(CenterWeightedAvgPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        this.weighting = pooling.Checked(weighting);
        least = learn_width && weighting == CenterWeighting.Linear ? Math.Max(pooling.LeastWidth, pooling.Farthest(window)) : pooling.LeastWidth;
        this.width = LearnedNumber.Checked(width ?? pooling.WidthOf(weighting, window), least, nameof(width));
        Check.ParameterType(dtype);
        Check.ParameterDevice(device);
        raw_width = learn_width ? LearnedNumber.Parameter(this.width, least, device, dtype) : null;
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.center_weighted_avg_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.CenterWeightedAvgPool(
        x, weighting, like => LearnedNumber.Of(raw_width, width, least, like), window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.SlicedScript +
        $"""
        def pool(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            width = {LearnedNumber.Script(raw_width, nameof(width))}
            down = self.from_center(0, wide).unsqueeze(1)
            across = self.from_center(1, wide).unsqueeze(0)
            d = torch.hypot(down, across) / width
            log_weight = {LogWeight(weighting)}
            if self.quick(wide):
                weight = log_weight.exp().unsqueeze(0).unsqueeze(0)
                whole = self.weighted(torch.ones([1, 1, x.size(2), x.size(3)], dtype=wide.dtype, device=wide.device), weight)
                if bool(whole.detach().amin([0, 1, 2, 3]) > 1e-30):
                    return (self.weighted(wide, weight) / whole).to(x.dtype)
            share = (log_weight.flatten().reshape([-1, 1, 1, 1, 1]) + self.valid(wide).log()).softmax(0)
            y = (self.windows(wide, 0.0) * share).sum(0)
            return y.to(x.dtype)

        def from_center(self, axis: int, x: Tensor) -> Tensor:
            count = self.kernel_size[axis]
            return (torch.arange(count, dtype=x.dtype, device=x.device) - (count - 1) / 2.0) * self.dilation[axis]
        """,
        [.. window.Attributes, raw_width is null ? (nameof(width), width) : (nameof(least), least)]);

    private static string LogWeight(CenterWeighting weighting) => weighting switch
    {
        CenterWeighting.Gaussian => "d.square() * -0.5",
        CenterWeighting.Linear => "(1 - d).clamp_min(1e-06).log()",
        _ => "-d.log1p()",
    };
}

public static partial class pooling
{
    internal const double LeastWidth = 0.1;

    /// <summary>The function behind <see cref="CenterWeightedAvgPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that weigh nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="weighting">How the weight falls with the distance.</param>
    /// <param name="width">How far it reaches, in pixels; above 0.1, at most 10000. Where null 1, and for
    /// <see cref="CenterWeighting.Linear"/> the distance of the farthest pixel + 1.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="weighting"/> is none, <paramref name="width"/> is out of range, an
    /// entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor center_weighted_avg_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        CenterWeighting weighting = CenterWeighting.Gaussian, double? width = null)
    {
        var window = new Window2d(kernel_size, stride, padding, dilation, ceil_mode);
        var fixed_width = LearnedNumber.Checked(width ?? WidthOf(Checked(weighting), window), LeastWidth, nameof(width));
        return CenterWeightedAvgPool(x, Checked(weighting), like => LearnedNumber.Of(null, fixed_width, LeastWidth, like), window);
    }

    /// <param name="x">Feature map.</param>
    /// <param name="weighting">How the weight falls with the distance.</param>
    /// <param name="width">The width, shape (1), in a tensor's dtype and on its device.</param>
    /// <param name="window">The windows.</param>
    internal static Tensor CenterWeightedAvgPool(Tensor x, CenterWeighting weighting, Func<Tensor, Tensor> width, Window2d window)
    {
        window.OutputSize(x);   // before distances of a window that no map has
        return Slices.Of(x, slice => CenterWeightedAvgPoolOf(slice, weighting, width, window));
    }

    private static Tensor CenterWeightedAvgPoolOf(Tensor x, CenterWeighting weighting, Func<Tensor, Tensor> width, Window2d window)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var (down, across) = (FromCenter(window, 0, wide).unsqueeze(1), FromCenter(window, 1, wide).unsqueeze(0));
        var d = down.hypot(across) / width(wide);
        var log_weight = weighting switch
        {
            CenterWeighting.Gaussian => d.Squared() * Held(-0.5),
            CenterWeighting.Linear => d.rsub(1).clamp_min(Held(1e-6)).log(),
            _ => -d.log1p(),
        };
        var y = Window2d.IsQuick(wide) ? QuickWeightedAverage(wide, log_weight.exp().unsqueeze(0).unsqueeze(0), window) : null;
        if (y is null)
        {
            var share = log_weight.flatten().reshape(-1, 1, 1, 1, 1).Plus(window.Valid(wide).log()).softmax(0);   // padding has the logarithm −∞
            y = (window.Of(wide, 0) * share).sum(dim: 0);
        }

        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The weighted sum over that of ones; null where the weights of a window vanish.</summary>
    private static Tensor? QuickWeightedAverage(Tensor wide, Tensor weight, Window2d window)
    {
        var whole = window.Sum(ones([1, 1, wide.size(2), wide.size(3)], dtype: wide.dtype, device: wide.device), weight);
        return Window2d.Least(whole) > 1e-30f ? window.Sum(wide, weight) / whole : null;
    }

    private static Tensor FromCenter(Window2d window, int axis, Tensor like)
    {
        var count = window.KernelSize[axis];
        return (Indices(count, dtype: like.dtype, device: like.device) - Held((count - 1) / 2.0)) * Held(window.Dilation[axis]);
    }

    /// <summary>The distance of the farthest pixel of a window to its centre.</summary>
    internal static double Farthest(Window2d window) => double.Hypot(Reach(window, 0), Reach(window, 1));

    /// <summary>The width where none is given: of a cone one that leaves each pixel a weight.</summary>
    internal static double WidthOf(CenterWeighting weighting, Window2d window) =>
        weighting == CenterWeighting.Linear ? Math.Min(Farthest(window) + 1, LearnedNumber.Most) : 1;

    private static double Reach(Window2d window, int axis) => (window.KernelSize[axis] - 1) / 2.0 * window.Dilation[axis];

    internal static CenterWeighting Checked(CenterWeighting weighting) => Enum.IsDefined(weighting)
        ? weighting
        : throw new ArgumentOutOfRangeException(nameof(weighting), weighting, $"expected {string.Join(", ", Enum.GetNames<CenterWeighting>())}");
}
