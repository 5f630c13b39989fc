using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A setting of a pooling above a least value, fixed or learned as least + softplus(raw), which is valid whatever step
/// training takes.</summary>
internal static class LearnedNumber
{
    /// <summary>The largest start: it and its raw form are numbers in float16 too.</summary>
    public const double Most = 1e4;

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="value"/> is not above <paramref name="least"/>, or beyond
    /// <see cref="Most"/>.</exception>
    public static double Checked(double value, double least, string name) => value > least && value <= Most
        ? value
        : throw new ArgumentOutOfRangeException(name, value, FormattableString.Invariant($"expected a number above {least:0.###} and at most {Most}"));

    /// <summary>The parameter, shape (1), that starts as a value.</summary>
    public static Parameter Parameter(double value, double least, Device? device, ScalarType? dtype)
    {
        var above = value - least;
        var raw = above < 1e-4 ? Math.Log(above) + (above / 2) : above + Math.Log(1 - Math.Exp(-above));   // log(eˣ − 1)
        var parameter = new Parameter(full([1], Held(raw), dtype: dtype, device: device));
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>The value of the parameter, or the fixed one where null, shape (1), in <paramref name="like"/>'s dtype and on its
    /// device.</summary>
    /// <exception cref="ArgumentException">The parameter is on another device.</exception>
    public static Tensor Of(Parameter? raw, double value, double least, Tensor like)
    {
        if (raw is null)
        {
            return full([1], Held(value), dtype: like.dtype, device: like.device);
        }

        return Check.SameDevice(like, raw)
            ? nn.functional.logsigmoid(-raw.to(like.dtype)).rsub(least)   // softplus(x) = −log σ(−x)
            : throw new ArgumentException($"expected a map on {raw.device} as the parameter, got one on {like.device}", "x");
    }

    /// <summary>The same in TorchScript, of <c>self.name</c> or of <c>self.raw_name</c> and <c>self.least</c>.</summary>
    public static string Script(Parameter? raw, string name) => raw is null
        ? $"torch.full([1], self.{name}, dtype=wide.dtype, device=wide.device)"
        : $"torch.softplus(self.raw_{name}.to(wide.dtype), 1.0, 40.0) + self.least";
}
