using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>One tensor, number or None that a forward gives, or a buffer after it, on the CPU.</summary>
internal sealed record ScriptResult(string Name, Tensor? Value)
{
    private const double Smallest = 1e-6;   // an output of zeros has no size to be compared with

    /// <summary>What a forward returned, in order.</summary>
    public static IEnumerable<ScriptResult> Outputs(object? value)
    {
        var leaves = ScriptCall.Leaves(value).ToList();
        return leaves.Select((leaf, i) => new ScriptResult(leaves.Count == 1 ? "output" : $"output {i}", AsTensor(leaf)));
    }

    /// <summary>A buffer as it is now.</summary>
    public static ScriptResult Buffer(string name, Tensor value) => new($"buffer {name}", value.cpu().resolve_conj().resolve_neg().clone());

    /// <summary>The largest absolute difference, or what is wrong.</summary>
    public static (double Largest, string? Error, bool InValuesOnly) Difference(
        IReadOnlyList<ScriptResult> expected, IReadOnlyList<ScriptResult> actual, string where)
    {
        if (expected.Count != actual.Count)
        {
            return (0, $"the TorchScript form gives {actual.Count} values {where}, the C# forward {expected.Count}", false);
        }

        var largest = 0.0;
        foreach (var (ours, theirs) in expected.Zip(actual))
        {
            if (ours.Form != theirs.Form)
            {
                return (0, $"the TorchScript form computes {theirs.Form} {where}, the C# forward {ours.Form}{ours.Which}", false);
            }

            var (gap, error) = Gap(ours, theirs, where);
            if (error is not null)
            {
                return (0, error, true);
            }

            largest = Math.Max(largest, gap);
        }

        return (largest, null, false);
    }

    private string Form => Value is null ? "None" : $"{Value.dtype} {Check.Shape(Value)}";

    private string Which => Name == "output" ? "" : $" ({Name})";

    private static (double, string?) Gap(ScriptResult expected, ScriptResult actual, string where)
    {
        if (expected.Value is null || expected.Value.Equals(actual.Value!))
        {
            return (0, null);
        }

        using var scope = NewDisposeScope();
        var (ours, theirs) = (Real(expected.Value), Real(actual.Value!));
        var same = ours.eq(theirs).logical_or(ours.isnan().logical_and(theirs.isnan()));   // infinities and NaN too
        var gap = (ours - theirs).abs().to(ScalarType.Float64).nan_to_num(double.PositiveInfinity).masked_fill(same, Held(0));
        var sizes = ours.abs().to(ScalarType.Float64).nan_to_num(0, 0, 0);
        var shown = sizes.masked_select(sizes.gt(Held(0)));
        var typical = shown.numel() == 0 ? Smallest : shown.median().ToDouble();
        var allowed = sizes.clamp_min(Held(typical)).mul(Held(Tolerance(expected.Value.dtype)));
        var excess = gap - allowed;
        if (excess.max().ToDouble() <= 0)
        {
            return (gap.max().ToDouble(), null);
        }

        var worst = excess.argmax();
        return (gap.max().ToDouble(),
            $"the TorchScript form computes something else {where}{expected.Which}: {theirs.flatten()[worst].ToDouble()} where the C# forward gives "
            + $"{ours.flatten()[worst].ToDouble()} (difference {gap.flatten()[worst].ToDouble():G3}, allowed {allowed.flatten()[worst].ToDouble():G3})");
    }

    /// <summary>Whole numbers stay whole: a double does not hold all of them.</summary>
    private static Tensor Real(Tensor value) =>
        value.is_complex() ? value.view_as_real().to(ScalarType.Float64) : value.to(value.is_floating_point() ? ScalarType.Float64 : ScalarType.Int64);

    private static Tensor? AsTensor(object? leaf) => leaf switch
    {
        null => null,
        Tensor value => value.detach().cpu().resolve_conj().resolve_neg().clone(),   // it may be a buffer of the model
        Scalar number => tensor(number.ToDouble()),
        _ => tensor(Convert.ToDouble(leaf, null)),
    };

    /// <summary>Rounding of a deep network's output, relative to the value or to what is typical there.</summary>
    private static double Tolerance(ScalarType dtype) => dtype switch
    {
        ScalarType.Float64 or ScalarType.ComplexFloat64 => 1e-10,
        ScalarType.Float32 or ScalarType.ComplexFloat32 => 1e-4,
        ScalarType.Float16 => 1e-2,
        ScalarType.BFloat16 => 5e-2,
        _ => 0,
    };
}
