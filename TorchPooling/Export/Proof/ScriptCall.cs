using System.Collections;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>How C# arguments reach a TorchScript method. TorchSharp passes tensors, numbers, None and lists of tensors; tuples
/// and lists of numbers it does not, so a model that takes them gets a method <c>forward_flat</c> that takes their items.</summary>
internal sealed class ScriptCall
{
    private readonly List<string> parameters = [];
    private readonly bool flat;

    public ScriptCall(object?[] example)
    {
        var arguments = string.Join(", ", example.Select(Argument));
        flat = !example.All(Passes);
        Methods = flat
            ? $"\ndef forward_flat(self, {string.Join(", ", parameters)}):\n    return self.forward({arguments})"
            : "";
    }

    /// <summary>TorchScript of the method that the model needs beside its own, or nothing.</summary>
    public string Methods { get; }

    public object? Invoke(jit.ScriptModule script, object?[] inputs) => flat
        ? ScriptNumbers.Held([.. inputs.SelectMany(Items)], items => script.invoke("forward_flat", items))
        : ScriptNumbers.Held([.. inputs.Select(input => input is IEnumerable<Tensor> list ? list.ToArray() : input)], script.forward);

    /// <summary>The tensors, numbers and absent values of an argument or a result, in order.</summary>
    public static IEnumerable<object?> Leaves(object? value) => value switch
    {
        null or Tensor or Scalar or bool or int or long or float or double => [value],
        ITuple tuple => Enumerable.Range(0, tuple.Length).SelectMany(i => Leaves(tuple[i])),
        IEnumerable items and not (string or IDictionary) => items.Cast<object?>().SelectMany(Leaves),
        _ => throw new NotSupportedException(
            $"a forward that takes or gives {value.GetType()} cannot be exported: expected tensors, numbers, and tuples and lists of them"),
    };

    /// <summary>The same value with other tensors.</summary>
    public static object? Map(object? value, Func<Tensor, Tensor> change) => value switch
    {
        Tensor tensor => change(tensor),
        ITuple tuple => Tuple(tuple.GetType(), [.. Enumerable.Range(0, tuple.Length).Select(i => Map(tuple[i], change))]),
        Array array => Filled(Array.CreateInstance(array.GetType().GetElementType()!, array.Length), array, change),
        IList list => Filled((IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(Element(list)))!, list, change),
        _ => value,
    };

    private static Type Element(IList list) =>
        list.GetType().GetInterfaces().First(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>)).GetGenericArguments()[0];

    private static IList Filled(IList copy, IList items, Func<Tensor, Tensor> change)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (copy is Array)
            {
                copy[i] = Map(items[i], change);
            }
            else
            {
                copy.Add(Map(items[i], change));
            }
        }

        return copy;
    }

    /// <summary>A tuple of eight and more holds the others in one of its own.</summary>
    private static object Tuple(Type type, object?[] items) => Activator.CreateInstance(
        type, items.Length < 8 ? items : [.. items[..7], Tuple(type.GetGenericArguments()[7], items[7..])])!;

    private static bool Passes(object? value) =>
        value is null or Tensor or bool or int or long or float or double || (value is IEnumerable<Tensor?> list && list.All(item => item is not null));

    /// <summary>What a method that takes items is called with for this argument: None says itself.</summary>
    private static IEnumerable<object?> Items(object? value) => Leaves(value).Where(leaf => leaf is not null);

    /// <summary>The TorchScript expression of an argument, over parameters for its items.</summary>
    private string Argument(object? value) => value switch
    {
        null => "None",
        Tensor => Parameter("Tensor"),
        bool => Parameter("bool"),
        int or long => Parameter("int"),
        float or double => Parameter("float"),
        ITuple tuple => $"({string.Join(", ", Enumerable.Range(0, tuple.Length).Select(i => Argument(tuple[i])))},)",
        IEnumerable items and not string => $"[{string.Join(", ", items.Cast<object?>().Select(Argument))}]",
        _ => throw new NotSupportedException(
            $"a forward that takes {value.GetType()} cannot be exported: expected tensors, numbers, and tuples and lists of them"),
    };

    private string Parameter(string type)
    {
        parameters.Add($"x{parameters.Count}: {type}");
        return $"x{parameters.Count - 1}";
    }
}
