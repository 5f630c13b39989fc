using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Scales vectors to unit Euclidean length.</summary>
/// <remarks>
/// <para>y = x / max(‖x‖₂, 1e-12) along one dimension, as <c>torch.nn.functional.normalize</c>; the gradient at an
/// all-zero vector is 0, where that function's is 1e12, as it is here for vectors shorter than 1e-12.</para>
/// <para>Lengths beyond 1.8·10¹⁹, whose squares leave float32, are found on a CPU; on a GPU, which would have to wait for the
/// question, such a vector gives 0, as in PyTorch, and so does it in every layer of this library that scales to unit length.</para>
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
        if (x.device_type != DeviceType.CPU)
        {
            return inverse_length(x.norm((int)dim, keepdim: true));
        }

        var (squares, unit) = squared_norm(x, dim);
        return inverse_root(squares, unit);
    }

    /// <summary>1 / max(‖x‖, 1e-12) of lengths ‖x‖, 0 of 0. Few calls: each is a kernel, and a GPU takes longer to start it than to run it.
    /// </summary>
    internal static Tensor inverse_length(Tensor lengths) =>
        lengths.threshold(Held(0), Held(double.PositiveInfinity)).clamp_min(Held(1e-12)).reciprocal();

    /// <summary>‖x/unit‖² along <paramref name="dim"/>, kept, and the unit; 1 where null. On a CPU: a GPU would wait for the answer
    /// whether a unit is needed.</summary>
    private static (Tensor squares, Tensor? unit) squared_norm(Tensor x, long dim)
    {
        var squares = Sum(x);
        if (!(squares > Held(1e24)).any().ToBoolean())
        {
            return (squares, null);
        }

        // The squares of a norm above 1e12, or their gradients, may leave the range of float32.
        var unit = x.detach().abs().amax([dim], keepdim: true).clamp_min(Held(1));
        return (Sum(x / unit), unit);

        // The squared distance from 0 is the square, but its gradient takes one pass over x, where that of square() takes three.
        Tensor Sum(Tensor values)
        {
            using var scope = NewDisposeScope();
            var distances = nn.functional.mse_loss(values, values.new_zeros([1]).expand_as(values), nn.Reduction.None);
            return distances.sum(dim, keepdim: true).MoveToOuterDisposeScope();
        }
    }

    private static Tensor inverse_root(Tensor squares, Tensor? unit)
    {
        var inverse = squares.clamp_min(Held(1e-24)).rsqrt().masked_fill(squares == Held(0), Held(0));
        return unit is null ? inverse : inverse / unit;
    }

    /// <summary>The methods of script forms for <see cref="inverse_norm"/>, <c>self.inverse_norm(x, dim)</c>, and
    /// <see cref="squared_norm"/>.</summary>
    internal const string inverse_norm_script =
        """

        def inverse_norm(self, x: Tensor, dim: int) -> Tensor:
            if not (x.device == torch.device("cpu")):
                return self.inverse_length(torch.linalg_vector_norm(x, 2, [dim], True))
            squares, unit = self.squared_norm(x, dim)
            return self.inverse_root(squares, unit)

        def inverse_length(self, lengths: Tensor) -> Tensor:
            return torch.threshold(lengths, 0.0, inf).clamp_min(1e-12).reciprocal()

        def squared_norm(self, x: Tensor, dim: int) -> Tuple[Tensor, Tensor]:
            squares = self.sum_of_squares(x, dim)
            unit = torch.ones_like(squares)
            if bool(torch.any(squares > 1e24)):
                unit = x.detach().abs().amax([dim], True).clamp_min(1.0)
                squares = self.sum_of_squares(x / unit, dim)
            return squares, unit

        def sum_of_squares(self, x: Tensor, dim: int) -> Tensor:
            if self.training:
                return torch.mse_loss(x, x.new_zeros([1]).expand_as(x), 0).sum([dim], True)
            return x.square().sum([dim], True)  # goes on to ONNX

        def inverse_root(self, squares: Tensor, unit: Tensor) -> Tensor:
            return squares.clamp_min(1e-24).rsqrt().masked_fill(squares == 0, 0.0) / unit
        """;
}
