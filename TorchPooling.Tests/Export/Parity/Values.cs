using System.Collections;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>Arguments and results of a forward: tensors, numbers, None, tuples and lists of them.</summary>
internal static class Values
{
    public static IEnumerable<Tensor> Tensors(object? value) => value switch
    {
        Tensor tensor => [tensor],
        ITuple tuple => Enumerable.Range(0, tuple.Length).SelectMany(i => Tensors(tuple[i])),
        IEnumerable items and not string => items.Cast<object?>().SelectMany(Tensors),
        _ => [],
    };

    public static object? Map(object? value, Func<Tensor, Tensor> change) => value switch
    {
        Tensor tensor => change(tensor),
        (Tensor a, Tensor b) => (change(a), change(b)),
        Tensor[] tensors => tensors.Select(change).ToArray(),
        _ => value,
    };

    /// <summary>A Python expression of the value, with t(i) for its i-th tensor.</summary>
    public static string Python(object?[] values)
    {
        var count = 0;
        return $"[{string.Join(", ", values.Select(Expression))}]";

        string Expression(object? value) => value switch
        {
            null => "None",
            Tensor => $"t({count++})",
            long[] list => $"[{string.Join(", ", list)}]",
            (Tensor a, Tensor b) => $"({Expression(a)}, {Expression(b)})",
            Tensor[] list => $"[{string.Join(", ", list.Select(Expression))}]",
            _ => throw new NotSupportedException($"{value.GetType()}"),
        };
    }
}
