using System.Numerics;

namespace TorchPooling;

/// <summary>Makes what a pickle of a TorchScript file calls for: tensors within their storages, typed lists, objects.</summary>
/// <param name="stored">The length in bytes of a storage, null where the archive has none of that name.</param>
internal sealed class PickleBuilder(Func<string, long?> stored)
{
    private const string Custom = "__torch__.torch.classes.";
    private const int MaxDimensions = 64;

    private static readonly HashSet<string> Functions =
    [
        "torch._utils._rebuild_tensor_v2", "collections.OrderedDict", "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_doublelist",
        "torch.jit._pickle.build_boollist", "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.restore_type_tag", "torch.device", "builtins.complex",
    ];

    private readonly HashSet<string> taken = [];

    /// <summary>The storage that a tuple ("storage", type, name, device, length) names.</summary>
    public PickleStorage Storage(PickleTuple? id)
    {
        Demand(id is { Items: ["storage", PickleName, string, string, long] }, "a storage without name, type and length");
        var (type, name, length) = (((PickleName)id!.Items[1]!).Name, (string)id.Items[2]!, (long)id.Items[4]!);
        var size = ElementSize(type) ?? throw NotLoaded(type);
        Demand(length >= 0, "a storage of negative length");
        Demand(stored(name) is not null || length == 0, $"the storage {name} is not in the archive");
        Demand(length == 0 || (Int128)length * size <= stored(name)!.Value, $"the storage {name} is shorter than stated");
        Demand(taken.Add(name), $"the storage {name} is read twice");
        return new(length);
    }

    /// <summary>What the function <paramref name="name"/> makes of its arguments.</summary>
    public object? Call(string name, PickleTuple arguments) => (name, arguments.Items) switch
    {
        ("torch._utils._rebuild_tensor_v2", [PickleStorage storage, long offset, PickleTuple size, PickleTuple stride, bool, null]) => Tensor(storage, offset, size, stride),
        ("collections.OrderedDict", []) => null,
        ("torch.jit._pickle.build_intlist", [PickleList list]) => Typed(list, "List[int]", item => item is long),
        ("torch.jit._pickle.build_doublelist", [PickleList list]) => Typed(list, "List[float]", item => item is double),
        ("torch.jit._pickle.build_boollist", [PickleList list]) => Typed(list, "List[bool]", item => item is bool),
        ("torch.jit._pickle.build_tensorlist", [PickleList list]) => Typed(list, "List[Tensor]", item => item is PickleTensor),
        ("torch.jit._pickle.restore_type_tag", [PickleContainer container, string type]) => Typed(container, type, null),
        ("torch.device", [string]) => new PickleDevice(),
        ("builtins.complex", [double, double]) => new PickleComplex(),
        _ when Functions.Contains(name) => throw new InvalidDataException($"it calls {name} with other arguments"),
        _ => throw NotLoaded(name),
    };

    /// <summary>An object of the class <paramref name="name"/>.</summary>
    public PickleObject Object(string name, PickleDict state)
    {
        Demand(name.StartsWith("__torch__.", StringComparison.Ordinal), $"an object of {name}, which is no class of TorchScript");
        if (name.StartsWith(Custom, StringComparison.Ordinal))
        {
            throw NotLoaded(name);
        }

        Demand(state.Items.All(item => item.Key is string), $"an object of {name} has an attribute without a name");
        return new(name, state);
    }

    private static PickleTensor Tensor(PickleStorage storage, long offset, PickleTuple size, PickleTuple stride)
    {
        Demand(size.Items.Length == stride.Items.Length && size.Items.Length <= MaxDimensions, "a tensor with a shape of its own kind");
        Demand(offset >= 0 && size.Items.Concat(stride.Items).All(item => item is long and >= 0), "a tensor with a negative size, stride or offset");
        var (last, count) = ((BigInteger)offset, BigInteger.One);
        for (var i = 0; i < size.Items.Length; i++)
        {
            last += ((BigInteger)(long)size.Items[i]! - 1) * (long)stride.Items[i]!;
            count *= (long)size.Items[i]!;
        }

        Demand(count.IsZero || last < storage.Length, "a tensor that reaches beyond its storage");
        Demand(count <= long.MaxValue, "a tensor of more elements than can be counted");
        return new();
    }

    private static PickleContainer Typed(PickleContainer container, string type, Func<object?, bool>? fits)
    {
        Demand(container.Type is null || container.Type == type, "a list or dict of two types");
        Demand(fits is null || ((PickleList)container).Items.All(fits), $"a {type} that holds something else");
        container.Type = type;
        return container;
    }

    private static int? ElementSize(string storage) => storage switch
    {
        "torch.ByteStorage" or "torch.CharStorage" or "torch.BoolStorage" => 1,
        "torch.ShortStorage" or "torch.HalfStorage" or "torch.BFloat16Storage" => 2,
        "torch.IntStorage" or "torch.FloatStorage" or "torch.ComplexHalfStorage" => 4,
        "torch.LongStorage" or "torch.DoubleStorage" or "torch.ComplexFloatStorage" => 8,
        "torch.ComplexDoubleStorage" => 16,
        _ => null,
    };

    /// <summary>Quantized and sparse tensors, enums and classes of C++: libtorch trusts what the file says of them.</summary>
    private static NotSupportedException NotLoaded(string what) =>
        new($"holds {what}, which this library does not load: TorchSharp's jit.load does, from a source that you trust");

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException(otherwise);
        }
    }
}
