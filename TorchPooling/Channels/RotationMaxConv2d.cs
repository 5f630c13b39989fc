using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A convolution whose filters are turned by 0°, 90°, 180° and 270°, and the maximum over the four answers.</summary>
/// <remarks>
/// <para>y[n,o] = b[o] + max over t &lt; 4 of (x[n] ⋆ Rᵗw[o]), R a quarter turn of the filter, exact on the grid, and ⋆ the
/// convolution of <c>Conv2d</c>. One filter finds its pattern in four directions with the weights of one; it costs four convolutions, and
/// which direction it was is lost. Over ties the smaller turn takes the gradient.</para>
/// <para>A map turned by 90° gives the output turned by 90°, where stride divides H + 2·padding − dilation·(kernel_size − 1) − 1
/// and the same of W: always at stride 1. With other strides the windows of the turned map lie elsewhere.</para>
/// <para><see cref="Maxout"/> over four filters that are learned apart is the learned form of this invariance; this is the tied one. In the
/// terms of group-equivariant networks it is a p4 convolution of a plane, pooled over the turns.</para>
/// <para>The parameters <c>weight</c> (O, C/groups, k, k) and <c>bias</c> (O) are a <c>Conv2d</c>'s in name, shape and start.</para>
/// <para>Shape: input (N, C, H, W) in the parameters' dtype; output (N, O, H', W') as <c>Conv2d</c>'s.</para>
/// <para>Cohen, Welling: Group Equivariant Convolutional Networks, ICML 2016.</para>
/// </remarks>
public sealed class RotationMaxConv2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly long stride;
    private readonly long padding;
    private readonly long dilation;
    private readonly long groups;

    /// <param name="in_channels">C; a multiple of <paramref name="groups"/>.</param>
    /// <param name="out_channels">O; a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel_size">Height and width of the filters: a turned one must fit.</param>
    /// <param name="stride">Steps from window to window, down and to the right.</param>
    /// <param name="padding">Zeros around the map; at most half the window, so that the output is hardly larger than the map.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window.</param>
    /// <param name="groups">Parts of the channels that do not see each other.</param>
    /// <param name="bias">Whether there is b.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    /// <exception cref="ArgumentException">Channels are no multiple of the groups, or <paramref name="dtype"/> is no floating-point type.</exception>
    public RotationMaxConv2d(
        long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1, long groups = 1,
        bool bias = true, Device? device = null, ScalarType? dtype = null)
        : base(nameof(RotationMaxConv2d))
    {
        Check.Range(in_channels, 1, int.MaxValue, nameof(in_channels));
        Check.Range(out_channels, 1, int.MaxValue, nameof(out_channels));
        Check.Range(kernel_size, 1, int.MaxValue, nameof(kernel_size));
        Check.Range(groups, 1, int.MaxValue, nameof(groups));
        pooling.CheckSteps(kernel_size, stride, padding, dilation);
        if (in_channels % groups != 0 || out_channels % groups != 0)
        {
            throw new ArgumentException($"expected channels that {groups} groups divide, got {in_channels} to {out_channels}", nameof(groups));
        }

        Check.Parameter([4, out_channels, in_channels / groups, kernel_size, kernel_size], device, dtype, nameof(kernel_size));
        weight = new Parameter(empty([out_channels, in_channels / groups, kernel_size, kernel_size], dtype: dtype, device: device));
        nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
        weight.DetachFromDisposeScope();
        if (bias)
        {
            var bound = 1 / Math.Sqrt((double)(in_channels / groups) * kernel_size * kernel_size);
            this.bias = new Parameter(empty([out_channels], dtype: dtype, device: device));
            nn.init.uniform_(this.bias, -bound, bound);
            this.bias.DetachFromDisposeScope();
        }

        (this.stride, this.padding, this.dilation, this.groups) = (stride, padding, dilation, groups);
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.rotation_max_conv2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.rotation_max_conv2d(x, weight, bias, stride, padding, dilation, groups);

    ScriptDefinition IScriptable.script() => new(
        ChannelWindow.Script +
        $"""
        def forward(self, x: Tensor) -> Tensor:
            turns = [self.weight, self.weight.rot90(1, [2, 3]), self.weight.rot90(2, [2, 3]), self.weight.rot90(3, [2, 3])]
            answers = torch.conv2d(x, torch.stack(turns, 1).flatten(0, 1), None, self.stride, self.padding, self.dilation, self.groups)
            y = self.channel_max(answers, 4, 4, 0, 1, False)
            return {(bias is null ? "y" : "y + self.bias.view([-1, 1, 1])")}
        """,
        (nameof(stride), Both(stride)), (nameof(padding), Both(padding)), (nameof(dilation), Both(dilation)), (nameof(groups), groups));

    private static long[] Both(long value) => [value, value];
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="RotationMaxConv2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="weight">w, shape (O, C/groups, k, k).</param>
    /// <param name="bias">b, shape (O), or null for 0.</param>
    /// <param name="stride">Steps from window to window, down and to the right.</param>
    /// <param name="padding">Zeros around the map; at most half the window.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window.</param>
    /// <param name="groups">Parts of the channels that do not see each other.</param>
    /// <returns>Shape (N, O, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, dtypes or devices differ, or the map is too small for one window.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public static Tensor rotation_max_conv2d(
        Tensor x, Tensor weight, Tensor? bias = null, long stride = 1, long padding = 0, long dilation = 1, long groups = 1)
    {
        CheckFilters(weight, bias, groups);
        CheckSteps(weight.size(3), stride, padding, dilation);
        Check.FeatureMap(x, weight.size(1) * groups);
        Check.LikeParameters(x, weight);
        if (Math.Min(x.size(2), x.size(3)) + (2 * padding) <= dilation * (weight.size(3) - 1))
        {
            throw new ArgumentException(
                $"expected a map large enough for a filter of {weight.size(2)}×{weight.size(3)} with padding {padding} and dilation {dilation}, "
                + $"got {x.size(2)}×{x.size(3)} (H×W)", nameof(x));
        }

        using var scope = NewDisposeScope();
        var turns = Enumerable.Range(0, 4).Select(t => weight.rot90(t, (2, 3)));
        var filters = stack(turns, 1).flatten(0, 1);   // the turns of a filter side by side: groups stay whole
        var answers = nn.functional.conv2d(x, filters, null, [stride, stride], [padding, padding], [dilation, dilation], groups);
        var y = maxout(answers, 4);
        return (bias is null ? y : y.Plus(bias.view(-1, 1, 1))).MoveToOuterDisposeScope();
    }

    internal static void CheckSteps(long kernel_size, long stride, long padding, long dilation)
    {
        Check.Range(stride, 1, int.MaxValue, nameof(stride));
        Check.Range(dilation, 1, int.MaxValue, nameof(dilation));
        Check.Range(padding, 0, Math.Min(int.MaxValue, ((dilation * (kernel_size - 1)) + 1) / 2), nameof(padding));
    }

    private static void CheckFilters(Tensor weight, Tensor? bias, long groups)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 4 || weight.size(2) != weight.size(3) || weight.shape.Contains(0))
        {
            throw new ArgumentException($"expected filters (O, C/groups, k, k), got {weight.dim()} dimensions {Check.Shape(weight)}", nameof(weight));
        }

        Check.FloatingPoint(weight, nameof(weight));
        if (groups < 1 || weight.size(0) % groups != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(groups), groups, $"expected a positive number that divides the {weight.size(0)} filters");
        }

        if (bias is not null)
        {
            Check.Exactly(bias, [weight.size(0)], nameof(bias));
            Check.Like(bias, weight, nameof(bias));
        }
    }
}
