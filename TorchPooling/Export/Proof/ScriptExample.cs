using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Inputs made of a user's example.</summary>
internal static class ScriptExample
{
    /// <summary>A layer may work in place, so every forward gets a copy.</summary>
    public static object?[] Copy(object?[] example) => Map(example, tensor => tensor.clone());

    /// <summary>One more row, or null where there are none: the first, mirrored in its other dimensions.</summary>
    public static object?[]? OtherBatch(object?[] example)
    {
        var rows = Tensors(example).FirstOrDefault() is { } first && first.dim() > 0 ? first.size(0) : 0;
        return rows == 0 ? null : Map(example, tensor => tensor.dim() > 0 && tensor.size(0) == rows ? Grown(tensor, 0, 1) : tensor);
    }

    /// <summary>A quarter more height, an eighth more width, or null where there is none, continued by mirroring.</summary>
    public static object?[]? OtherSize(object?[] example) => !Tensors(example).Any(IsMap) ? null : Map(example, tensor =>
    {
        for (var d = 2; IsMap(tensor) && d < tensor.dim(); d++)
        {
            tensor = Grown(tensor, d, Math.Max(1, tensor.size(d) >> d));
        }

        return tensor;
    });

    /// <summary>The shapes of the tensors, for messages.</summary>
    public static string Describe(object?[] example) => string.Join(", ", Tensors(example).Select(tensor => Check.Shape(tensor)));

    public static bool IsOnCpu(object?[] example) => Tensors(example).All(tensor => tensor.device_type == DeviceType.CPU);

    private static bool IsMap(Tensor tensor) => tensor.dim() > 2 && tensor.numel() > 0;

    private static Tensor Grown(Tensor tensor, long dimension, long more)
    {
        long[] mirrored = dimension == 0 ? [.. Enumerable.Range(1, (int)tensor.dim() - 1).Select(d => (long)d)] : [dimension];
        return cat([tensor, tensor.narrow(dimension, 0, more).flip(mirrored)], dimension);
    }

    private static IEnumerable<Tensor> Tensors(object?[] example) => ScriptCall.Leaves(example).OfType<Tensor>();

    private static object?[] Map(object?[] example, Func<Tensor, Tensor> change) => [.. example.Select(value => ScriptCall.Map(value, change))];
}
