namespace TorchPooling;

/// <summary>Whether the values of a file are of the types that its classes declare: libtorch takes that for granted.</summary>
internal sealed class ScriptTypes(ScriptSource source)
{
    private const int MaxDepth = 50;

    private readonly HashSet<PickleObject> seen = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, TypeText> types = [];

    /// <summary>Checks an object and all that it holds.</summary>
    /// <exception cref="InvalidDataException">A class is not in the code, an attribute is missing or of another type.</exception>
    public void Check(PickleObject item, string place = "")
    {
        if (!seen.Add(item))
        {
            return;
        }

        var type = source.Find(item.ClassName)
            ?? throw new InvalidDataException($"is damaged: class {item.ClassName} that its data names is not in its code");
        if (type.Methods.Contains("__setstate__"))
        {
            throw new NotSupportedException($"holds an object of {item.ClassName}, which runs code while it is loaded (__setstate__): TorchSharp's jit.load does that, from a source that you trust");
        }

        foreach (var (name, declared) in type.Attributes)
        {
            var path = place.Length == 0 ? name : $"{place}.{name}";
            if (!item.Attributes.TryGetValue(name, out var value))
            {
                throw new InvalidDataException($"is damaged: its data has no {path}, which class {item.ClassName} declares");
            }

            if (!Fits(value, Parse(declared), path, 0))
            {
                throw new InvalidDataException($"is damaged: {path} is no {declared}, as class {item.ClassName} declares it");
            }
        }
    }

    private TypeText Parse(string type) => types.TryGetValue(type, out var known) ? known : types[type] = TypeText.Parse(type);

    private bool Fits(object? value, TypeText type, string path, int depth) => depth <= MaxDepth && type.Name switch
    {
        "Any" => value switch
        {
            PickleObject => false,
            PickleTuple tuple => tuple.Items.All(item => Fits(item, type, path, depth + 1)),
            PickleContainer container => container.Type is { } tag && Fits(value, Parse(tag), path, depth + 1),
            _ => true,
        },
        "Tensor" => value is PickleTensor or null,
        "int" => value is long,
        "float" => value is double,
        "bool" => value is bool,
        "str" => value is string,
        "complex" => value is PickleComplex,
        "number" or "Scalar" => value is long or double or PickleComplex,
        "Device" => value is PickleDevice,
        "NoneType" or "None" => value is null,
        "Optional" => type.Of.Count == 1 && (value is null || Fits(value, type.Of[0], path, depth + 1)),
        "Union" => type.Of.Any(one => Fits(value, one, path, depth + 1)),
        "List" => type.Of.Count == 1 && value is PickleList list && HasType(list, type) && list.Items.All(item => Fits(item, type.Of[0], path, depth + 1)),
        "Dict" => type.Of.Count == 2 && value is PickleDict dict && HasType(dict, type)
            && dict.Items.All(item => Fits(item.Key, type.Of[0], path, depth + 1) && Fits(item.Value, type.Of[1], path, depth + 1)),
        "Tuple" => value is PickleTuple tuple && FitsEach(tuple.Items, type.Of, path, depth),
        _ => FitsClass(value, type, path, depth),
    };

    private bool HasType(PickleContainer container, TypeText type) => container.Type is null || Parse(container.Type).ToString() == type.ToString();

    private bool FitsEach(object?[] items, IReadOnlyList<TypeText> of, string path, int depth) =>
        items.Length == of.Count && items.Zip(of).All(pair => Fits(pair.First, pair.Second, path, depth + 1));

    private bool FitsClass(object? value, TypeText type, string path, int depth)
    {
        switch (source.Find(type.Name))
        {
            case { Kind: "NamedTuple" } named:
                return value is PickleTuple tuple && FitsEach(tuple.Items, [.. named.Attributes.Select(field => Parse(field.Type))], path, depth);
            case { Kind: "Interface" or "ModuleInterface" } named when value is PickleObject item:
                Check(item, path);
                return named.Methods.IsSubsetOf(source.Find(item.ClassName)!.Methods);
            case not null when value is PickleObject item && item.ClassName == type.Name:
                Check(item, path);
                return true;
            default:
                return false;
        }
    }
}
