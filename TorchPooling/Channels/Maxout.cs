using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Maxout: the maximum over groups of k neighbouring channels.</summary>
/// <remarks>
/// <para>y[n,c,…] = max over j &lt; k of x[n, c·k + j, …]. After a convolution or a linear layer with k·C' outputs it is the paper's
/// unit: a maximum of k affine functions, which are learned apart. Where filters of one group learn the same pattern turned, their
/// maximum answers to every turn of it: invariance that is learned. <see cref="RotationMaxConv2d"/> ties the filters instead.</para>
/// <para>Over ties the first channel takes the gradient; NaN wins.</para>
/// <para>Shape: input (N, C, …) with C a multiple of k; output (N, C/k, …), in the input's dtype.</para>
/// <para>Goodfellow, Warde-Farley, Mirza, Courville, Bengio: Maxout Networks, ICML 2013.</para>
/// </remarks>
public sealed class Maxout : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long pieces;

    /// <param name="pieces">k, the channels of a group.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pieces"/> is not positive, or beyond int.</exception>
    public Maxout(long pieces)
        : base(nameof(Maxout))
    {
        Check.Range(pieces, 1, int.MaxValue, nameof(pieces));
        this.pieces = pieces;
    }

    /// <summary>See <see cref="pooling.maxout"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.maxout(x, pieces);

    ScriptDefinition IScriptable.script() => new(
        ChannelWindow.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            if x.size(1) % self.pieces != 0:
                ops.prim.RaiseException("the number of channels is no multiple of the pieces")
            return self.channel_max(x, self.pieces, self.pieces, 0, 1, False)
        """,
        (nameof(pieces), pieces));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="Maxout"/>.</summary>
    /// <param name="x">Shape (N, C, …).</param>
    /// <param name="pieces">k, the channels of a group.</param>
    /// <returns>Shape (N, C/k, …), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has fewer than two dimensions, an empty one other than N, no
    /// floating-point dtype, or channels that k does not divide.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="pieces"/> is not positive, or beyond int.</exception>
    public static Tensor maxout(Tensor x, long pieces)
    {
        Check.Range(pieces, 1, int.MaxValue, nameof(pieces));
        Check.SecondDimension(x);
        if (x.size(1) % pieces != 0)
        {
            throw new ArgumentException($"expected a multiple of {pieces} channels, got {x.size(1)} in {Check.Shape(x)}", nameof(x));
        }

        return new ChannelWindow(pieces, pieces, padding: 0, dilation: 1, ceil_mode: false).Max(x);
    }
}
