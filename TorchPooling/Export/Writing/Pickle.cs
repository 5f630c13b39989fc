using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Writes a tree of <see cref="ScriptObject"/> as the protocol-2 pickle that libtorch reads, and collects the
/// tensors whose bytes belong beside it.</summary>
internal sealed class Pickle
{
    private readonly MemoryStream bytes = new();
    private readonly Dictionary<object, int> memo = new(ReferenceEqualityComparer.Instance);
    private readonly List<Tensor> tensors = [];
    private readonly Dictionary<(nint, ScalarType, string, bool), Tensor> originals = [];

    /// <summary>Tensors in the order of their storage names 0, 1, …</summary>
    public IReadOnlyList<Tensor> Tensors => tensors;

    public static (byte[] Bytes, IReadOnlyList<Tensor> Tensors) Write(ScriptObject root)
    {
        var pickle = new Pickle();
        pickle.Op(0x80, 2);
        pickle.Value(root);
        pickle.Op('.');
        return (pickle.bytes.ToArray(), pickle.tensors);
    }

    private void Value(object? value)
    {
        switch (value)
        {
            case null: Op('N'); break;
            case bool b: Op(b ? 0x88 : 0x89); break;
            case int i: Integer(i); break;
            case long i: Integer(i); break;
            case float f: Float(f); break;
            case double f: Float(f); break;
            case string s: Text(s); break;
            case long[] list: List("build_intlist", list); break;
            case double[] list: List("build_doublelist", list); break;
            case bool[] list: List("build_boollist", list); break;
            case Tensor tensor: Once(Original(tensor), Tensor); break;
            case ScriptObject item: Once(item, Object); break;
            default: throw new NotSupportedException($"no pickle form of {value.GetType()}");
        }
    }

    /// <summary>The first mentioned of several tensors that are one memory: weights tied through different wrappers.</summary>
    private unsafe Tensor Original(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU || tensor.numel() == 0)
        {
            return tensor;
        }

        using var scope = NewDisposeScope();
        var first = tensor.detach();
        for (var d = 0; d < tensor.dim(); d++)
        {
            first = first.narrow(d, 0, 1);
        }

        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
        var key = (address, tensor.dtype, $"{string.Join(',', tensor.shape)}/{string.Join(',', tensor.stride())}", tensor.requires_grad);
        return originals.TryAdd(key, tensor) ? tensor : originals[key];
    }

    private void Object(ScriptObject item)
    {
        Global(item.ClassName[..item.ClassName.LastIndexOf('.')], item.ClassName[(item.ClassName.LastIndexOf('.') + 1)..]);
        Op(')', 0x81, '}', '(');
        Text("training");
        Value(item.Training);
        foreach (var (name, value) in item.Values)
        {
            Text(name);
            Value(value);
        }

        Op('u', 'b');
    }

    private void Tensor(Tensor tensor)
    {
        var strides = new long[tensor.dim()];   // the bytes are written row-major
        for (long i = strides.Length - 1, step = 1; i >= 0; step *= Math.Max(1, tensor.size((int)i)), i--)
        {
            strides[i] = step;
        }

        Global("torch._utils", "_rebuild_tensor_v2");
        Op('(', '(');
        Text("storage");
        Global("torch", StorageOf(tensor.dtype)!);
        Text($"{tensors.Count}");
        Text("cpu");
        Integer(tensor.numel());
        Op('t', 'Q');
        Integer(0);
        Tuple(tensor.shape);
        Tuple(strides);
        Value(tensor.requires_grad);
        Global("collections", "OrderedDict");
        Op(')', 'R', 't', 'R');
        tensors.Add(tensor);
    }

    /// <summary>A second mention of the same object refers to the first, so shared parameters and modules stay shared.</summary>
    private void Once<T>(T item, Action<T> write)
        where T : class
    {
        Span<byte> number = stackalloc byte[4];
        if (memo.TryGetValue(item, out var place))
        {
            Op('j');
            BinaryPrimitives.WriteInt32LittleEndian(number, place);
            bytes.Write(number);
            return;
        }

        write(item);
        memo[item] = memo.Count;
        Op('r');
        BinaryPrimitives.WriteInt32LittleEndian(number, memo.Count - 1);
        bytes.Write(number);
    }

    private void List<T>(string builder, T[] list)
    {
        Global("torch.jit._pickle", builder);
        Op(']', '(');
        foreach (var item in list)
        {
            Value(item);
        }

        Op('e', 0x85, 'R');
    }

    private void Tuple(long[] items)
    {
        Op('(');
        foreach (var item in items)
        {
            Integer(item);
        }

        Op('t');
    }

    private void Integer(long value)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, value);
        if (value == (int)value)
        {
            Op('J');
            bytes.Write(number[..4]);
        }
        else
        {
            Op(0x8a, 8);
            bytes.Write(number);
        }
    }

    private void Float(double value)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(number, value);
        Op('G');
        bytes.Write(number);
    }

    private void Text(string text)
    {
        Span<byte> length = stackalloc byte[4];
        var utf8 = Encoding.UTF8.GetBytes(text);
        BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
        Op('X');
        bytes.Write(length);
        bytes.Write(utf8);
    }

    private void Global(string module, string name)
    {
        Op('c');
        bytes.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
    }

    private void Op(params ReadOnlySpan<int> codes)
    {
        foreach (var code in codes)
        {
            bytes.WriteByte((byte)code);
        }
    }

    /// <summary>The storage class of a dtype, or null where TorchScript files have none here.</summary>
    public static string? StorageOf(ScalarType dtype) => dtype switch
    {
        ScalarType.Float16 => "HalfStorage",
        ScalarType.BFloat16 => "BFloat16Storage",
        ScalarType.Float32 => "FloatStorage",
        ScalarType.Float64 => "DoubleStorage",
        ScalarType.Int64 => "LongStorage",
        ScalarType.Int32 => "IntStorage",
        ScalarType.Int16 => "ShortStorage",
        ScalarType.Int8 => "CharStorage",
        ScalarType.Byte => "ByteStorage",
        ScalarType.Bool => "BoolStorage",
        ScalarType.ComplexFloat32 => "ComplexFloatStorage",
        ScalarType.ComplexFloat64 => "ComplexDoubleStorage",
        _ => null,
    };
}
