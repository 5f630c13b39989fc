using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Tree pooling: learned pooling filters in the leaves of a binary tree, whose inner nodes decide by the window between them.
/// </summary>
/// <remarks>
/// <para>A leaf m gives f_m = Σₖ v_mₖxₖ over the pixels of the window, an inner node f_m = σ_m·f_left + (1 − σ_m)·f_right with the gate
/// σ_m = σ(Σₖ ω_mₖxₖ); y is the root's. <c>levels</c> counts the levels of nodes, that of the leaves included: 2^(levels−1) leaves.
/// Filters are shared by the channels, or one tree per channel. Padding counts as 0 for leaves and gates.</para>
/// <para>Starts as the average of the window, padding counted (<c>AvgPool2d</c>'s default): ω = 0 are even gates, and leaf ℓ of L is
/// (1 + (2ℓ + 1 − L)/(10·(L − 1)))/K, K the pixels of a window. All leaves 1/K would have the same gradients and the gates none, for ever;
/// so they start apart, by up to a tenth, around the average.</para>
/// <para>Parameters: <c>leaves</c> v, (2^(levels−1), 1 or C, kH, kW), from left to right; <c>gates</c> ω, (2^(levels−1) − 1, 1 or C, kH,
/// kW), level by level from the root. A NaN or infinite pixel may give NaN.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W') as <c>MaxPool2d</c>'s, in the input's dtype.</para>
/// <para>Lee, Gallagher, Tu: Generalizing Pooling Functions in Convolutional Neural Networks: Mixed, Gated, and Tree, AISTATS 2016.
/// </para>
/// </remarks>
public sealed class TreePool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private const int most_levels = 10;

    private readonly Parameter leaves;
    private readonly Parameter gates;
    private readonly Window2d window;

    /// <param name="kernel_size">Height and width of the window, one number for both.</param>
    /// <param name="stride">Steps from window to window; <paramref name="kernel_size"/> where null.</param>
    /// <param name="padding">Rows and columns of zeros around the map; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <param name="levels">Levels of the tree, 2 (one gate between two leaves) to 10.</param>
    /// <param name="num_channels">C, for one tree per channel; one for all where null or 1.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentException">A setting has not one or two entries, or <paramref name="dtype"/> is no floating-point type.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, the padding more than half the kernel,
    /// <paramref name="levels"/> not 2 to 10, <paramref name="num_channels"/> not positive, or the leaves do not fit into memory.
    /// </exception>
    public TreePool2d(
        Size kernel_size, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false,
        long levels = 2, long? num_channels = null, Device? device = null, ScalarType? dtype = null)
        : base(nameof(TreePool2d))
    {
        window = new(kernel_size, stride, padding, dilation, ceil_mode);
        Check.Range(levels, 2, most_levels, nameof(levels));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(num_channels ?? 1, nameof(num_channels));
        var count = 1L << (int)(levels - 1);
        long[] filter = [num_channels ?? 1, .. window.KernelSize];
        Check.Parameter([count, .. filter], device, dtype, num_channels is null ? nameof(kernel_size) : nameof(num_channels));
        using var scope = NewDisposeScope();
        var apart = linspace(0.9, 1.1, count, dtype: ScalarType.Float64).view(count, 1, 1, 1) / Held(filter[1] * filter[2]);
        leaves = new Parameter(apart.expand([count, .. filter]).to(dtype ?? ScalarType.Float32).to(device ?? CPU).contiguous());
        gates = new Parameter(zeros([count - 1, .. filter], dtype: dtype, device: device));
        leaves.DetachFromDisposeScope();
        gates.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>See <see cref="pooling.tree_pool2d"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map of C channels, is too small for one window, or on
    /// another device than the parameters.</exception>
    public override Tensor forward(Tensor x) => pooling.TreePool(x, leaves, gates, window);

    ScriptDefinition IScriptable.script() => new(
        Window2d.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            if self.leaves.size(1) != 1 and self.leaves.size(1) != x.size(1):
                ops.prim.RaiseException("expected a feature map with one channel for each tree")
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            filters = torch.cat([self.leaves, self.gates], 0).to(wide.dtype).flatten(2).expand([-1, x.size(1), -1])
            answers = torch.einsum("fck,knchw->fnchw", [filters, self.windows(wide, 0.0)])
            count = self.leaves.size(0)
            y = answers.narrow(0, 0, count)
            while y.size(0) > 1:
                nodes = y.size(0) // 2
                gate = answers.narrow(0, count + nodes - 1, nodes).sigmoid()
                y = gate * y.slice(0, 0, None, 2) + (1.0 - gate) * y.slice(0, 1, None, 2)
            return y.squeeze(0).to(x.dtype)
        """,
        window.Attributes);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="TreePool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="leaves">v, shape (L, 1 or C, kH, kW), L = 2, 4, 8, …, from left to right; their size is the window's.</param>
    /// <param name="gates">ω, shape (L − 1, 1 or C, kH, kW), level by level from the root.</param>
    /// <param name="stride">Steps from window to window; the window's size where null.</param>
    /// <param name="padding">Rows and columns of zeros around the map; 0 where null, at most half the kernel.</param>
    /// <param name="dilation">Distance of neighbouring pixels of a window; 1 where null.</param>
    /// <param name="ceil_mode">Whether a last window may reach over the padded map.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or too small for one window, or the filters have
    /// another shape or device, are no floating-point tensors or of two dtypes, or a setting has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is too small, or the padding more than half the kernel.</exception>
    public static Tensor tree_pool2d(
        Tensor x, Tensor leaves, Tensor gates, Size? stride = null, Size? padding = null, Size? dilation = null, bool ceil_mode = false)
    {
        var window = Window2d.OfFilters(leaves, stride, padding, dilation, ceil_mode, nameof(leaves));
        if (leaves.size(0) < 2 || !long.IsPow2(leaves.size(0)))
        {
            throw new ArgumentException($"expected 2, 4, 8, … leaves, got {Check.Shape(leaves)}", nameof(leaves));
        }

        Check.Exactly(gates, [leaves.size(0) - 1, .. leaves.shape[1..]], nameof(gates));
        return TreePool(x, leaves, gates, window);
    }

    internal static Tensor TreePool(Tensor x, Tensor leaves, Tensor gates, Window2d window)
    {
        CheckChannels(x, leaves.size(1));
        Check.FloatingPoint(leaves, nameof(leaves));
        Check.OnDeviceOf(leaves, x);
        Check.Like(gates, leaves, nameof(gates));
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var filters = cat([leaves, gates]).to(wide.dtype).flatten(2).expand(-1, x.size(1), -1);   // (leaves and gates, C, K)
        var answers = einsum("fck,knchw->fnchw", filters, window.Of(wide, 0));
        var count = leaves.size(0);
        var y = answers.narrow(0, 0, count);
        for (var nodes = count / 2; nodes > 0; nodes /= 2)   // up from the leaves' parents to the root
        {
            var gate = answers.narrow(0, count + nodes - 1, nodes).sigmoid();
            y = (gate * y.slice(0, 0, 2 * nodes, 2)).Plus(gate.rsub(1) * y.slice(0, 1, 2 * nodes, 2));
        }

        return y.squeeze(0).to(x.dtype).MoveToOuterDisposeScope();
    }
}
