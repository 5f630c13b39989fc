namespace TorchPooling;

/// <summary>What a pickle holds beside null, bool, long, double and string.</summary>
internal abstract class PickleValue
{
    protected const long Many = 1L << 60;

    /// <summary>1 where it holds no other value, else one more than the deepest in it.</summary>
    public int Depth { get; private set; } = 1;

    /// <summary>How many values it is and holds; one that is held twice counts twice.</summary>
    public long Size { get; private set; } = 1;

    protected void Hold(object? item)
    {
        if (item is PickleValue value)
        {
            Depth = Math.Max(Depth, value.Depth + 1);
            Size = Math.Min(Many, Size + value.Size);
        }
    }
}

/// <summary>A tuple. A raw one holds names or storages, which are no values of a program: it only serves to make a tensor.</summary>
internal sealed class PickleTuple : PickleValue
{
    public PickleTuple(object?[] items)
    {
        Items = items;
        IsRaw = items.Any(item => item is PickleName or PickleStorage or PickleTuple { IsRaw: true });
        Array.ForEach(items, Hold);
    }

    public object?[] Items { get; }

    public bool IsRaw { get; }
}

/// <summary>A list.</summary>
internal sealed class PickleList : PickleContainer
{
    public List<object?> Items { get; } = [];

    public void Add(object? item)
    {
        Hold(item);
        Items.Add(item);
    }
}

/// <summary>A dict.</summary>
internal sealed class PickleDict : PickleContainer
{
    public List<(object? Key, object? Value)> Items { get; } = [];

    public void Add(object? key, object? value)
    {
        Hold(key);
        Hold(value);
        Items.Add((key, value));
    }
}

/// <summary>A list or a dict.</summary>
internal abstract class PickleContainer : PickleValue
{
    /// <summary>Whether it is part of another value; then nothing is added any more, so nothing holds itself.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Its TorchScript type, where the pickle gives it one.</summary>
    public string? Type { get; set; }
}

/// <summary>An object of a class of the file's code.</summary>
internal sealed class PickleObject : PickleValue
{
    public PickleObject(string className, PickleDict state)
    {
        ClassName = className;
        Attributes = [];
        foreach (var (key, value) in state.Items)
        {
            Hold(value);
            Attributes[key as string ?? ""] = value;
            Disposals = Math.Min(Many, Disposals + (2 * ((value as PickleObject)?.Disposals ?? 0)));
        }
    }

    /// <summary>How many modules TorchSharp goes through to dispose of it: for each one all below it.</summary>
    public long Disposals { get; } = 1;

    public string ClassName { get; }

    public Dictionary<string, object?> Attributes { get; }
}

/// <summary>A tensor that lies within its storage.</summary>
internal sealed class PickleTensor : PickleValue;

/// <summary>A device.</summary>
internal sealed class PickleDevice : PickleValue;

/// <summary>A complex number.</summary>
internal sealed class PickleComplex : PickleValue;

/// <summary>The name of a class or function, as module.name.</summary>
internal sealed record PickleName(string Name);

/// <summary>The memory of tensors, in elements.</summary>
internal sealed record PickleStorage(long Length);
