using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Gated max-average pooling: each window decides by its own pixels between its maximum and its average.</summary>
/// <remarks>
/// <para>y = α·max x + (1 − α)·mean x, α = σ(Σₖ ωₖxₖ) over the pixels of the window: a gating mask ω of the window's size, one for the
/// layer or one per channel, no bias. ω starts at 0: even gates, <see cref="MixedPool2d"/> at ½.</para>
/// <para>Padding is no maximum, left out of the average, and 0 to the mask. The first maximum of a window takes the maximum's gradient;
/// a NaN or infinite pixel may give NaN. The gradient of ω is of the order of x²: with even gates maps beyond 1e18 leave float32.</para>
/// <para>The parameter <c>weight</c> is ω, (1, 1, kH, kW), or (C, 1, kH, kW) with one mask per channel.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype.</para>
/// <para>Lee, Gallagher, Tu: Generalizing Pooling Functions in Convolutional Neural Networks: Mixed, Gated, and Tree, AISTATS 2016.
/// </para>
/// </remarks>
public sealed class GatedPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter weight;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that count as nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="num_channels">C, for one mask per channel; one for all where null or 1.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries, or <paramref name="dtype"/> is no floating-point type.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, the padding more than half the kernel,
    /// <paramref name="num_channels"/> not positive, or the masks do not fit into memory.</exception>
    public GatedPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        long? num_channels = null, Device? device = null, ScalarType? dtype = null)
        : base(nameof(GatedPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_channels ?? 1, nameof(num_channels));
        long[] shape = [num_channels ?? 1, 1, .. window.KernelSize];
        Check.Parameter(shape, device, dtype, num_channels is null ? nameof(kernel_size) : nameof(num_channels));
        weight = new Parameter(zeros(shape, dtype: dtype, device: device));
        weight.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.gated_pool2d"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map of C channels, is too small for one window, or on
    /// another device than the parameter.</exception>
    public override Tensor forward(Tensor x) => pooling.GatedPool(x, weight, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            if self.weight.size(0) != 1 and self.weight.size(0) != x.size(1):
                ops.prim.RaiseException("expected a feature map with one channel for each gating mask")
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            gate = self.weighted(wide, self.weight.to(wide.dtype)).sigmoid()
            y = gate * self.largest(wide) + (1.0 - gate) * self.average(wide)
            return y.to(x.dtype)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="GatedPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="weight">ω, shape (1, 1, kH, kW) or (C, 1, kH, kW); its size is the window's.</param>
    /// <param name="stride">Steps from window to window; the window's size where null.</param>
    /// <param name="padding">Rows and columns around the map that count as nothing; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or
    /// <paramref name="weight"/> has another shape or device or is no floating-point tensor, or a setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor gated_pool2d(
        Tensor x, Tensor weight, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false) =>
        GatedPool(x, weight, Window2d.OfFilters(weight, stride, padding, dilation, ceil_mode, nameof(weight)));

    internal static Tensor GatedPool(Tensor x, Tensor weight, Window2d window)
    {
        CheckChannels(x, weight.size(0));
        Check.Exactly(weight, [weight.size(0), 1, .. window.KernelSize], nameof(weight));
        Check.FloatingPoint(weight, nameof(weight));
        Check.OnDeviceOf(weight, x);
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var gate = window.Sum(wide, weight.to(wide.dtype)).sigmoid();
        var y = (gate * window.Largest(wide)).Plus(gate.rsub(1) * window.Average(wide));
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>A feature map of so many channels, or of any number where a filter is shared.</summary>
    private static void CheckChannels(Tensor x, long channels)
    {
        if (channels == 1)
        {
            Check.FeatureMap(x);
        }
        else
        {
            Check.FeatureMap(x, channels);
        }
    }
}
