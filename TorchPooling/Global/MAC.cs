using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Maximum activations of convolutions: the maximum of each channel over the whole map.</summary>
/// <remarks>
/// <para>y[n,c] = max over h,w of x[n,c,h,w]; over ties the first in row-major order takes the gradient.</para>
/// <para>Not normalised: <c>nn.Flatten()</c> and <see cref="L2Normalize"/> after it make the paper's descriptor.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>Tolias, Sicre, Jégou: Particular Object Retrieval with Integral Max-Pooling of CNN Activations, ICLR 2016.</para>
/// </remarks>
public sealed class MAC : nn.Module<Tensor, Tensor>, IScriptable
{
    /// <summary>Makes the layer; it has no settings.</summary>
    public MAC()
        : base(nameof(MAC))
    {
    }

    /// <summary>See <see cref="pooling.mac"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.mac(x);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            if x.device == torch.device("meta"):
                return torch.adaptive_max_pool2d(x, [1, 1])[0]
            return torch.adaptive_max_pool2d(self.numbered(x), [1, 1])[0].to(x.dtype)

        """ + PixelNumbers.Script);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="MAC"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    public static Tensor mac(Tensor x)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        var wide = PixelNumbers.Numbered(x);
        return nn.functional.adaptive_max_pool2d(wide, [1, 1]).to(x.dtype).MoveToOuterDisposeScope();
    }
}
