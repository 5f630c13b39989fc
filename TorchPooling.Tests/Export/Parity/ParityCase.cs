using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>A module with settings and an input, as one line of the table.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Create">A module with new weights.</param>
/// <param name="Inputs">What its forward takes, in float32.</param>
/// <param name="Save">Exports it with these inputs as the example.</param>
/// <param name="Call">Its C# forward.</param>
internal sealed record ParityCase(
    string Name, Func<nn.Module> Create, object?[] Inputs, Action<nn.Module, string, object?[]> Save, Func<nn.Module, object?[], object?> Call)
{
    /// <summary>Draws random numbers, so that it gives others in another build of libtorch.</summary>
    public bool Random { get; init; }

    /// <summary>Has no gradient in C# either.</summary>
    public bool NoGradient { get; init; }

    /// <summary>The input after which none has a gradient.</summary>
    public int Differentiable { get; init; } = int.MaxValue;

    /// <summary>TorchSharp cannot bring it to another dtype.</summary>
    public bool OnlyFloat32 { get; init; }

    public override string ToString() => Name;

    public static ParityCase Of<T, TResult>(string name, Func<nn.Module<T, TResult>> create, T x) => new(
        name, create, [x], (m, path, v) => torchscript.save((nn.Module<T, TResult>)m, path, (T)v[0]!), (m, v) => ((nn.Module<T, TResult>)m).call((T)v[0]!));

    public static ParityCase Of<T1, T2, TResult>(string name, Func<nn.Module<T1, T2, TResult>> create, T1 x, T2 y) => new(
        name, create, [x, y], (m, path, v) => torchscript.save((nn.Module<T1, T2, TResult>)m, path, (T1)v[0]!, (T2)v[1]!),
        (m, v) => ((nn.Module<T1, T2, TResult>)m).call((T1)v[0]!, (T2)v[1]!));

    public static ParityCase Of<T1, T2, T3, TResult>(string name, Func<nn.Module<T1, T2, T3, TResult>> create, T1 x, T2 y, T3 z) => new(
        name, create, [x, y, z], (m, path, v) => torchscript.save((nn.Module<T1, T2, T3, TResult>)m, path, (T1)v[0]!, (T2)v[1]!, (T3)v[2]!),
        (m, v) => ((nn.Module<T1, T2, T3, TResult>)m).call((T1)v[0]!, (T2)v[1]!, (T3)v[2]!));

    public static ParityCase Of<T1, T2, T3, T4, TResult>(string name, Func<nn.Module<T1, T2, T3, T4, TResult>> create, T1 w, T2 x, T3 y, T4 z) => new(
        name, create, [w, x, y, z],
        (m, path, v) => torchscript.save((nn.Module<T1, T2, T3, T4, TResult>)m, path, (T1)v[0]!, (T2)v[1]!, (T3)v[2]!, (T4)v[3]!),
        (m, v) => ((nn.Module<T1, T2, T3, T4, TResult>)m).call((T1)v[0]!, (T2)v[1]!, (T3)v[2]!, (T4)v[3]!));

    public nn.Module CreateIn(ScalarType dtype)
    {
        var module = Create();
        return dtype == ScalarType.Float32 ? module : module.to(dtype);
    }

    /// <summary>The inputs with floating tensors in <paramref name="dtype"/>.</summary>
    public object?[] As(ScalarType dtype) =>
        [.. Inputs.Select(input => Values.Map(input, tensor => tensor.is_floating_point() ? tensor.to(dtype) : tensor.clone()))];
}
