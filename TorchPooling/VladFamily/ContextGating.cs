using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Context gating: each entry of a vector is let through as far as the whole vector allows.</summary>
/// <remarks>
/// <para>y = σ(W·x + b) ∘ x. With batch normalisation, σ(BN(W·x)) ∘ x: its shift takes the place of b, as in the authors'
/// code by default. It runs in the parameters' dtype, all else in at least float32.</para>
/// <para>Parameters: <c>linear.weight</c> (F, F) is W, <c>linear.bias</c> (F) is b; or <c>batch_norm.weight</c> and
/// <c>batch_norm.bias</c> (F), with its buffers.</para>
/// <para>Shape: input (…, F); output the same, in the input's dtype.</para>
/// <para>Miech, Laptev, Sivic: Learnable pooling with Context Gating for video classification, 2017.</para>
/// </remarks>
public sealed class ContextGating : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Linear linear;
    private readonly BatchNorm1d? batch_norm;

    /// <param name="dim">F, the length of a vector.</param>
    /// <param name="batch_norm">Normalise W·x over the batch, in place of b.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dim"/> is not positive.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public ContextGating(long dim, bool batch_norm = false, Device? device = null, ScalarType? dtype = null)
        : base(nameof(ContextGating))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        Check.Parameter([dim, dim], device, dtype, nameof(dim));
        using var scope = NewDisposeScope();
        linear = nn.Linear(dim, dim, hasBias: !batch_norm, device: device, dtype: dtype);
        this.batch_norm = batch_norm ? nn.BatchNorm1d(dim, device: device, dtype: dtype) : null;
        RegisterComponents();
        foreach (var value in parameters().Concat(buffers()))
        {
            value.DetachFromDisposeScope();
        }
    }

    /// <summary>The gated vectors.</summary>
    /// <param name="x">Shape (…, F).</param>
    /// <returns>The shape and dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another last dimension, or not the dtype and device of the
    /// parameters; or batch normalisation is trained on fewer than two vectors.</exception>
    public override Tensor forward(Tensor x)
    {
        if (batch_norm is null)
        {
            return pooling.context_gating(x, linear.weight, linear.bias);
        }

        Check.LastDimension(x, linear.weight.size(1));
        Check.LikeParameters(x, linear.weight);
        if (training && x.numel() < 2 * x.size(-1))
        {
            throw new ArgumentException($"expected two or more vectors to normalise over in training, got {Check.Shape(x)}", nameof(x));
        }

        using var scope = NewDisposeScope();
        var rows = batch_norm.call(pooling.linear(x, linear.weight, null).to(x.dtype).reshape(x.numel() / x.size(-1), x.size(-1)));
        return pooling.gated(x, rows.view(x.shape)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            weight = self.linear.weight
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
                weight = weight.float()
            gates = torch.matmul(wide, weight.t())
        """
        + (batch_norm is null
            ? "\n    gates = gates + self.linear.bias.to(gates.dtype)"
            : "\n    gates = self.batch_norm.forward(gates.to(x.dtype).reshape([-1, x.size(-1)])).view(x.shape).to(wide.dtype)")
        + "\n    return (gates.sigmoid() * wide).to(x.dtype)");
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="ContextGating"/>.</summary>
    /// <param name="x">Shape (…, F).</param>
    /// <param name="weight">W, shape (F, F).</param>
    /// <param name="bias">b, shape (F), or null for 0.</param>
    /// <returns>The shape and dtype of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor context_gating(Tensor x, Tensor weight, Tensor? bias = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2 || weight.size(0) != weight.size(1))
        {
            throw new ArgumentException($"expected weights (F, F), got {weight.dim()} dimensions {Check.Shape(weight)}", nameof(weight));
        }

        Check.LastDimension(x, weight.size(1));
        Check.LikeParameters(x, weight);
        CheckLinear(weight, bias, weight.size(0), weight.size(1), nameof(weight), nameof(bias));
        using var scope = NewDisposeScope();
        return gated(x, linear(x, weight, bias)).MoveToOuterDisposeScope();
    }

    /// <summary>σ(<paramref name="logits"/>) ∘ x.</summary>
    internal static Tensor gated(Tensor x, Tensor logits)
    {
        using var scope = NewDisposeScope();
        var wide = Check.AtLeastFloat32(x.dtype);
        return (logits.to(wide).sigmoid() * x.to(wide)).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>W·x + b over the last dimension, at least float32.</summary>
    internal static Tensor linear(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var wide = Check.AtLeastFloat32(x.dtype);
        var y = x.to(wide).matmul(weight.to(wide).t());
        return (bias is null ? y : y.Plus(bias.to(wide))).MoveToOuterDisposeScope();
    }

    private static void CheckLinear(Tensor weight, Tensor? bias, long rows, long columns, string name, string bias_name)
    {
        Check.Exactly(weight, [rows, columns], name);
        if (bias is not null)
        {
            Check.Exactly(bias, [rows], bias_name);
            Check.LikeParameters(bias, weight, bias_name);
        }
    }
}
