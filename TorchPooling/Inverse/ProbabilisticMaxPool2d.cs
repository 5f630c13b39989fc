using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Probabilistic max pooling: a block has at most one unit on, and its pooling unit is on where one of them is.</summary>
/// <remarks>
/// <para>A softmax over the units of a block and its state "none on": P(hᵢ = 1) = e^xᵢ / (1 + Σⱼ e^xⱼ), P(pool on) =
/// 1 − 1 / (1 + Σⱼ e^xⱼ), where x is the input that the units of a convolutional Boltzmann machine get from below. What the layer above
/// sends back, <c>top_down</c>, adds to every x of its block: the same units then are the inverse of the pooling.
/// <see cref="forward(Tensor)"/> gives P(pool on), <see cref="hidden"/> P(hᵢ = 1) at full resolution, <see cref="sample"/> draws.</para>
/// <para>Blocks do not overlap; those at the lower and right border are cut by it. Computed as a softmax: nothing overflows, and small
/// probabilities keep their digits. x = −∞ is a unit that is never on; +∞ and NaN make their block NaN.</para>
/// <para>Shape: input (N, C, H, W), output (N, C, H', W'), H' = ⌈H / kernel⌉, in the input's dtype; <c>top_down</c> has the output's shape. In
/// TorchScript <c>top_down</c> is an optional second argument of <c>forward</c> and <c>hidden</c>.</para>
/// <para>Lee, Grosse, Ranganath, Ng: Convolutional Deep Belief Networks for Scalable Unsupervised Learning of Hierarchical
/// Representations, ICML 2009.</para>
/// </remarks>
public sealed class ProbabilisticMaxPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long[] kernel_size;

    /// <param name="kernel_size">Height and width of a block, one number for both.</param>
    /// <exception cref="ArgumentException"><paramref name="kernel_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is not positive, or beyond int.</exception>
    public ProbabilisticMaxPool2d(Size kernel_size)
        : base(nameof(ProbabilisticMaxPool2d)) => this.kernel_size = Check.Pair(kernel_size, 1, nameof(kernel_size));

    /// <summary>P(pool on) without input from above.</summary>
    /// <param name="x">Shape (N, C, H, W).</param>
    /// <returns>Shape (N, C, H', W').</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    public override Tensor forward(Tensor x) => forward(x, null);

    /// <summary>See <see cref="pooling.probabilistic_max_pool2d"/>.</summary>
    public Tensor forward(Tensor x, Tensor? top_down) => pooling.probabilistic_max_pool2d(x, kernel_size, top_down);

    /// <summary>See <see cref="pooling.probabilistic_max_hidden2d"/>.</summary>
    public Tensor hidden(Tensor x, Tensor? top_down = null) => pooling.probabilistic_max_hidden2d(x, kernel_size, top_down);

    /// <summary>See <see cref="pooling.probabilistic_max_sample2d"/>.</summary>
    public (Tensor hidden, Tensor pooled) sample(Tensor x, Tensor? top_down = null, Generator? generator = null) =>
        pooling.probabilistic_max_sample2d(x, kernel_size, top_down, generator);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor, top_down: Optional[Tensor] = None) -> Tensor:
            return self.states(x, top_down).softmax(-1).slice(-1, 0, -1).sum([-1]).clamp_max(1.0).to(x.dtype)

        def hidden(self, x: Tensor, top_down: Optional[Tensor] = None) -> Tensor:
            (h, w) = (x.size(2), x.size(3))
            (rows, columns) = (min(self.kernel_size[0], h), min(self.kernel_size[1], w))
            units = self.states(x, top_down).softmax(-1).slice(-1, 0, -1)
            (down, across) = (units.size(2), units.size(3))
            map = units.reshape([x.size(0), x.size(1), down, across, rows, columns]).transpose(3, 4)
            return map.reshape([x.size(0), x.size(1), down * rows, across * columns]).slice(2, 0, h).slice(3, 0, w).to(x.dtype)

        def states(self, x: Tensor, top_down: Optional[Tensor]) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            (rows, columns) = (min(self.kernel_size[0], x.size(2)), min(self.kernel_size[1], x.size(3)))
            (down, across) = ((x.size(2) + rows - 1) // rows, (x.size(3) + columns - 1) // columns)
            padded = torch.constant_pad_nd(wide, [0, across * columns - x.size(3), 0, down * rows - x.size(2)], -inf)
            units = padded.reshape([x.size(0), x.size(1), down, rows, across, columns]).transpose(3, 4).flatten(4)
            if top_down is not None:
                if top_down.size() != [x.size(0), x.size(1), down, across]:
                    ops.prim.RaiseException("expected top_down with one value for each block")
                units = units + top_down.to(wide.dtype).unsqueeze(-1)
            return torch.constant_pad_nd(units, [0, 1], 0.0)
        """,
        (nameof(kernel_size), kernel_size));
}

public static partial class pooling
{
    /// <summary>P(pool on) = 1 − 1 / (1 + Σ e^x) for every block: the function behind <see cref="ProbabilisticMaxPool2d"/>.</summary>
    /// <param name="x">Input of the units from below, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of a block, one number for both.</param>
    /// <param name="top_down">Input from above, shape (N, C, H', W'), added to every x of its block; none where null.</param>
    /// <returns>Shape (N, C, H', W'), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="top_down"/> has another shape, dtype or
    /// device, or <paramref name="kernel_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry of <paramref name="kernel_size"/> is not positive, or beyond int.</exception>
    public static Tensor probabilistic_max_pool2d(Tensor x, Size kernel_size, Tensor? top_down = null)
    {
        using var scope = NewDisposeScope();
        var (states, _) = BlockStates(x, kernel_size, top_down);
        var on = states.softmax(-1).slice(-1, 0, -1, 1).sum(-1).clamp_max(Held(1));   // rounding may sum to more
        return on.to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>P(hᵢ = 1) = e^xᵢ / (1 + Σ e^x) for every unit: the way back of <see cref="ProbabilisticMaxPool2d"/>.</summary>
    /// <returns>Shape (N, C, H, W), in <paramref name="x"/>'s dtype.</returns>
    /// <inheritdoc cref="probabilistic_max_pool2d"/>
    public static Tensor probabilistic_max_hidden2d(Tensor x, Size kernel_size, Tensor? top_down = null)
    {
        using var scope = NewDisposeScope();
        var (states, block) = BlockStates(x, kernel_size, top_down);
        return FromBlocks(states.softmax(-1).slice(-1, 0, -1, 1), x, block).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the units of every block together, at most one of them on. Takes no gradient.</summary>
    /// <param name="x">Input of the units from below, shape (N, C, H, W).</param>
    /// <param name="kernel_size">Height and width of a block, one number for both.</param>
    /// <param name="top_down">Input from above, shape (N, C, H', W'), added to every x of its block; none where null.</param>
    /// <param name="generator">Where the draws come from, on the device of <paramref name="x"/>; the global generator there where null. TorchSharp's
    /// generators are of the CPU: for a map on a GPU leave null, and seed by <c>torch.cuda.manual_seed</c>.</param>
    /// <returns>The units, 0 or 1, shape (N, C, H, W), and the pooling units, 1 where one of the block is on, shape (N, C, H', W'), both in
    /// <paramref name="x"/>'s dtype; all of them NaN in a block with +∞ or NaN.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="top_down"/> has another shape, dtype or
    /// device, <paramref name="generator"/> is disposed or on another device, or <paramref name="kernel_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry of <paramref name="kernel_size"/> is not positive, or beyond int.</exception>
    public static (Tensor hidden, Tensor pooled) probabilistic_max_sample2d(
        Tensor x, Size kernel_size, Tensor? top_down = null, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.Generator(generator, x);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (states, block) = BlockStates(x, kernel_size, top_down);
        var uniform = rand(states.shape, dtype: states.dtype, device: states.device, generator: generator).clamp_min(Held(1e-30));
        var drawn = (states - (-uniform.log()).log()).argmax(-1, keepdim: true);   // Gumbel's maximum: a draw from the softmax
        var broken = states.amax([-1], keepdim: true).isfinite().logical_not();
        var on = (Indices(states.size(-1) - 1, device: x.device) == drawn).to(x.dtype).masked_fill(broken, Held(double.NaN));
        return (FromBlocks(on, x, block).MoveToOuterDisposeScope(), on.sum(-1).MoveToOuterDisposeScope());
    }

    /// <summary>The exponents of every block's states, (N, C, H', W', K + 1): its K units in row-major order, −∞ beyond the map, and 0
    /// for none on; and the height and width of a block.</summary>
    private static (Tensor States, (long Rows, long Columns) Block) BlockStates(Tensor x, Size kernel_size, Tensor? top_down)
    {
        var kernel = Check.Pair(kernel_size, 1, nameof(kernel_size));
        Check.FeatureMap(x);
        var (rows, columns) = (Math.Min(kernel[0], x.size(2)), Math.Min(kernel[1], x.size(3)));
        var (down, across) = ((x.size(2) + rows - 1) / rows, (x.size(3) + columns - 1) / columns);
        if (top_down is not null)
        {
            Check.Exactly(top_down, [x.size(0), x.size(1), down, across], nameof(top_down));
            Check.Like(top_down, x, nameof(top_down));
        }

        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var padded = nn.functional.pad(
            wide, [0, (across * columns) - x.size(3), 0, (down * rows) - x.size(2)], PaddingModes.Constant, double.NegativeInfinity);
        var units = padded.reshape(x.size(0), x.size(1), down, rows, across, columns).transpose(3, 4).flatten(4);
        units = top_down is null ? units : units.Plus(top_down.to(wide.dtype).unsqueeze(-1));
        return (nn.functional.pad(units, [0, 1], PaddingModes.Constant, 0), (rows, columns));
    }

    private static Tensor FromBlocks(Tensor units, Tensor x, (long Rows, long Columns) block)
    {
        var (down, across) = (units.size(2), units.size(3));
        return units.reshape(x.size(0), x.size(1), down, across, block.Rows, block.Columns).transpose(3, 4)
            .reshape(x.size(0), x.size(1), down * block.Rows, across * block.Columns)
            .slice(2, 0, x.size(2), 1).slice(3, 0, x.size(3), 1);
    }
}
