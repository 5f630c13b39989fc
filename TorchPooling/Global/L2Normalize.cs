using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Scales vectors to unit Euclidean length.</summary>
/// <remarks>
/// <para>y = x / max(‖x‖₂, 1e-12) along one dimension, as <c>torch.nn.functional.normalize</c>; the gradient at an
/// all-zero vector is 0, where that function's is 1e12, as it is here for vectors shorter than 1e-12.</para>
/// <para>Shape: any; output as the input, in its dtype.</para>
/// </remarks>
public sealed class L2Normalize : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long dim;

    /// <param name="dim">The dimension that holds a vector.</param>
    public L2Normalize(long dim = 1)
        : base(nameof(L2Normalize)) => this.dim = dim;

    /// <summary>See <see cref="pooling.l2_normalize"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.l2_normalize(x, dim);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            return (wide * self.inverse_norm(wide, self.dim)).to(x.dtype)

        """ + pooling.inverse_norm_script,
        (nameof(dim), dim));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="L2Normalize"/>.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="dim">The dimension that holds a vector.</param>
    /// <returns>The shape and dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not floating-point.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="x"/> has no dimension <paramref name="dim"/>.</exception>
    public static Tensor l2_normalize(Tensor x, long dim = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        Check.FloatingPoint(x, nameof(x));
        if (dim < -x.dim() || dim >= x.dim())
        {
            throw new ArgumentOutOfRangeException(nameof(dim), dim, $"expected a dimension of {Check.Shape(x)}");
        }

        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        return (wide * inverse_norm(wide, dim)).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>1 / max(‖x‖, 1e-12) along <paramref name="dim"/>, kept; 0 for a zero vector, so that its gradient is 0.</summary>
    internal static Tensor inverse_norm(Tensor x, long dim)
    {
        var squares = x.square().sum(dim, keepdim: true);
        var largest = ones_like(squares);
        if (x.device_type == DeviceType.CUDA || (squares > 1e24).any().ToBoolean())
        {
            // The squares of a norm above 1e12, or their gradients, may leave the range of float32. To ask whether there
            // is one costs less than to divide on a CPU, and more on a GPU, which would have to wait for the answer.
            largest = x.detach().abs().amax([dim], keepdim: true).clamp_min(1);
            squares = (x / largest).square().sum(dim, keepdim: true);
        }

        return where(squares == 0, zeros_like(squares), squares.clamp_min(1e-24).rsqrt() / largest);
    }

    /// <summary>The method <c>self.inverse_norm(x, dim)</c> of script forms: <see cref="inverse_norm"/>.</summary>
    internal const string inverse_norm_script =
        """

        def inverse_norm(self, x: Tensor, dim: int) -> Tensor:
            squares = x.square().sum([dim], True)
            largest = torch.ones_like(squares)
            if bool(torch.any(squares > 1e24)):
                largest = x.detach().abs().amax([dim], True).clamp_min(1.0)
                squares = (x / largest).square().sum([dim], True)
            return torch.where(squares == 0, torch.zeros_like(squares), squares.clamp_min(1e-24).rsqrt() / largest)
        """;
}
