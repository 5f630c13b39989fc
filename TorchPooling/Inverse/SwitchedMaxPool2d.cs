using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Max pooling that is undone again: it keeps its switches, the positions of the maxima, for the way back.</summary>
/// <remarks>
/// <para>Pools, runs <c>body</c> on the pooled map, and puts each value of the body's output at the position that its window's
/// maximum came from, 0 elsewhere: pooling tells the body what is there, the switches keep where. Without a body all but the
/// maxima becomes 0. The switches live for one forward only, so that the layer may be nested (the body may hold another), shared
/// and run by several threads.</para>
/// <para>Where windows overlap, several may have their maximum at one pixel: it takes the value of the last of them in row-major
/// order, as <c>MaxUnpool2d</c> on the CPU, and its gradient goes to that one alone. Over ties in a window the first pixel is its maximum.</para>
/// <para>Shape: input (N, C, H, W), the body from (N, C, H', W') as <c>MaxPool2d</c>'s output to the same, output (N, C, H, W), in
/// the input's dtype.</para>
/// <para>Zeiler, Taylor, Fergus: Adaptive Deconvolutional Networks for Mid and High Level Feature Learning, ICCV 2011. Zhao, Mathieu, Goroshin,
/// LeCun: Stacked What-Where Auto-encoders, ICLR Workshops 2016. Badrinarayanan, Kendall, Cipolla: SegNet, TPAMI 39(12), 2017.</para>
/// </remarks>
public sealed class SwitchedMaxPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor>? body;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that are never a maximum; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="body">What runs on the pooled map, and keeps its shape and dtype; nothing where null.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public SwitchedMaxPool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false, nn.Module<Tensor, Tensor>? body = null)
        : base(nameof(SwitchedMaxPool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        this.body = body;
        RegisterComponents();
    }

    /// <summary>Pools, runs the body and unpools.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <returns>Shape (N, C, H, W).</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window.</exception>
    /// <exception cref="InvalidOperationException">The body gives another shape, dtype or device than it took, or libtorch refuses what it took.</exception>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (values, switches) = window.Max(x);
        var y = body is null ? values : Body(body, values);
        if (!y.shape.SequenceEqual(values.shape) || y.dtype != values.dtype || !Check.SameDevice(y, values))
        {
            throw new InvalidOperationException(
                $"expected a body that keeps {Check.Shape(values)} of {values.dtype} on {values.device}, got {Check.Shape(y)} of {y.dtype} on {y.device}");
        }

        return pooling.Unpool(y, switches, x.size(2), x.size(3), window.Overlap).MoveToOuterDisposeScope();
    }

    private static Tensor Body(nn.Module<Tensor, Tensor> body, Tensor values)
    {
        try
        {
            return body.call(values);
        }
        catch (ExternalException e)
        {
            throw new InvalidOperationException(
                $"expected a body that takes {Check.Shape(values)} of {values.dtype} on {values.device}, got one that says: {e.Message.Split('\n')[0]}", e);
        }
    }

    ScriptDefinition IScriptable.script() => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            for axis in range(2):
                if self.padding[axis] > 0 and x.size(2 + axis) < self.dilation[axis]:
                    ops.prim.RaiseException("the map is too small for the window")
            (values, switches) = torch.max_pool2d_with_indices(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
            y = {(body is null ? "values" : "self.body.forward(values)")}
            if y.size() != values.size():
                ops.prim.RaiseException("expected a body that keeps the shape")
            (h, w) = (x.size(2), x.size(3))
            (at, pixels) = (switches.flatten(2), h * w)
            {(window.Overlap
                ? """
                (found, order) = torch.sort(at, stable=True, dim=2, descending=False)
                    overruled = torch.constant_pad_nd(found.slice(2, 1) == found.slice(2, 0, -1), [0, 1], 0.0)
                    at = at.masked_fill(torch.scatter(overruled, 2, order, overruled), pixels)
                """
                : "")}
            map = torch.zeros([y.size(0), y.size(1), pixels + 1], dtype=y.dtype, device=y.device)
            return map.scatter(2, at, y.flatten(2)).slice(2, 0, pixels).reshape([y.size(0), y.size(1), h, w])
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>Max pooling with its switches, for an encoder whose decoder stands apart: <see cref="SwitchedMaxPool2d"/> has both in one.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns around the map that are never a maximum; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>The maxima in <paramref name="x"/>'s dtype and their positions h·W + w as int64, both (N, C, H', W').</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or a setting has not
    /// one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static (Tensor values, Tensor switches) switched_max_pool2d(
        Tensor x, Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false) =>
        new Window2d(kernel_size, stride, padding, dilation, ceil_mode).Max(x);

    /// <summary>The way back of <see cref="switched_max_pool2d"/>: every value at its switch, 0 elsewhere.</summary>
    /// <remarks>Several values with one switch: the last in row-major order is kept, and takes the gradient alone. On the CPU
    /// switches outside the map are refused. On another device that would wait for it: there a value whose switch lies outside turns
    /// the first or the last pixel of its channel into NaN.</remarks>
    /// <param name="y">Shape (N, C, H', W').</param>
    /// <param name="switches">Positions h·W + w, int64, shape (N, C, H', W').</param>
    /// <param name="output_size">H and W of the map that was pooled, one number for both; at most 2²⁶ pixels.</param>
    /// <returns>Shape (N, C, H, W), in <paramref name="y"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="y"/> is not a feature map, or <paramref name="switches"/> has another shape, dtype or
    /// device, or on the CPU an entry outside the map, or <paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="output_size"/> is not positive, or too large.</exception>
    public static Tensor switched_max_unpool2d(Tensor y, Tensor switches, Size output_size)
    {
        var size = Check.Pair(output_size, 1, nameof(output_size));
        Check.Range(size[0] * size[1], 1, 1 << 26, nameof(output_size));
        Check.FeatureMap(y, nameof(y));
        Check.Exactly(switches, y.shape, nameof(switches));
        if (switches.dtype != ScalarType.Int64 || !Check.SameDevice(switches, y))
        {
            throw new ArgumentException($"expected Int64 on {y.device}, got {switches.dtype} on {switches.device}", nameof(switches));
        }

        using var scope = NewDisposeScope();
        var inside = switches.clamp(Held(0), Held((size[0] * size[1]) - 1));
        if (switches.device_type == DeviceType.CPU)
        {
            CheckSwitches(switches, inside, size);
        }

        var values = where(inside == switches, y, full_like(y, Held(double.NaN)));
        return Unpool(values, inside, size[0], size[1], overlap: true).MoveToOuterDisposeScope();
    }

    /// <summary>Scatters (N, C, H', W') to (N, C, H, W); what a later window overrules goes to one more pixel, which is cut off.</summary>
    internal static Tensor Unpool(Tensor y, Tensor switches, long height, long width, bool overlap)
    {
        using var scope = NewDisposeScope();
        var (at, pixels) = (switches.flatten(2), height * width);
        if (overlap)
        {
            var (found, order) = at.sort(2, stable: true);
            var overruled = nn.functional.pad(found.slice(2, 1, found.size(2), 1) == found.slice(2, 0, -1, 1), [0, 1], value: 0);
            at = at.masked_fill(overruled.scatter(2, order, overruled), Held(pixels));
        }

        var map = zeros([y.size(0), y.size(1), pixels + 1], dtype: y.dtype, device: y.device);
        return map.scatter(2, at, y.flatten(2)).slice(2, 0, pixels, 1).reshape(y.size(0), y.size(1), height, width).MoveToOuterDisposeScope();
    }

    private static void CheckSwitches(Tensor switches, Tensor inside, long[] size)
    {
        using var outside = switches.masked_select(inside != switches);
        if (outside.numel() > 0)
        {
            throw new ArgumentException(
                $"expected switches from 0 to {(size[0] * size[1]) - 1} for a map of {size[0]}×{size[1]} (H×W), got {outside[0].item<long>()}", nameof(switches));
        }
    }
}
