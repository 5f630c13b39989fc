using System.Buffers.Binary;
using System.Text;

namespace TorchPooling;

/// <summary>Reads a pickle as TorchScript files hold them, and refuses every other: what is refused here could make libtorch
/// read or write where it may not, run out of its stack, or fill the memory.</summary>
/// <param name="entry">The archive's entry, for messages.</param>
/// <param name="bytes">The pickle.</param>
/// <param name="builder">Makes what the pickle calls for.</param>
internal sealed class PickleReader(string entry, byte[] bytes, PickleBuilder builder)
{
    private const int MaxDepth = 400;

    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = [];
    private readonly List<object?> memo = [];
    private int position;

    /// <summary>The value that the pickle holds.</summary>
    /// <exception cref="InvalidDataException">It is no pickle of a TorchScript file.</exception>
    /// <exception cref="NotSupportedException">It holds what this library does not load.</exception>
    public object? Read()
    {
        try
        {
            Demand(Byte() == 0x80 && Byte() == 2, "it is no pickle of protocol 2");
            for (var code = Byte(); code != '.'; code = Byte())
            {
                Step(code);
            }

            Demand(stack.Count == 1 && marks.Count == 0, "it does not end with one value");
            return Value(Pop());
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"is damaged: entry {entry} is no data of TorchScript: {e.Message}", e);
        }
    }

    private void Step(int code)
    {
        switch (code)
        {
            case 'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case 'K': Push((long)Byte()); break;
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 0x8a: Push(Long()); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case 'X': Push(Encoding.Latin1.GetString(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))))); break;
            case ')': Push(new PickleTuple([])); break;
            case ']': Push(new PickleList()); break;
            case '}': Push(new PickleDict()); break;
            case '(': marks.Push(stack.Count); break;
            case 't': Push(new PickleTuple(AboveMark())); break;
            case 0x85 or 0x86 or 0x87: Push(new PickleTuple(Pop(code - 0x84))); break;
            case 'e': Append(AboveMark()); break;
            case 'u': SetItems(AboveMark()); break;
            case 's': SetItems(Pop(2)); break;
            case 'q': Remember(Byte()); break;
            case 'r': Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case 'h': Recall(Byte()); break;
            case 'j': Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case 'c': Push(new PickleName($"{Line()}.{Line()}")); break;
            case 'Q': Push(builder.Storage(Pop() as PickleTuple)); break;
            case 0x81: Demand(Pop() is PickleTuple { Items.Length: 0 } && Top is PickleName, "a new object of no class"); break;
            case 'R': Reduce(Pop(2)); break;
            case 'b': Build(Pop(2)); break;
            default: throw new InvalidDataException($"unknown instruction {code} at byte {position - 1}");
        }

        Demand((Top as PickleValue)?.Depth <= MaxDepth || Top is not PickleValue, $"values nested deeper than {MaxDepth}");
    }

    private object? Top => stack.Count > 0 ? stack[^1] : null;

    private void Push(object? value) => stack.Add(value);

    private object? Pop() => Pop(1)[0];

    /// <summary>The last values, none of them below a mark; they become parts of another value.</summary>
    private object?[] Pop(int count)
    {
        Demand(stack.Count - (marks.Count > 0 ? marks.Peek() : 0) >= count, "it takes more values than there are");
        var values = stack[^count..].ToArray();
        stack.RemoveRange(stack.Count - count, count);
        foreach (var value in values.OfType<PickleContainer>())
        {
            value.IsClosed = true;
        }

        return values;
    }

    private object?[] AboveMark()
    {
        Demand(marks.Count > 0, "a mark is missing");
        var values = Pop(stack.Count - marks.Peek());
        marks.Pop();
        return values;
    }

    private void Append(object?[] items)
    {
        Demand(Top is PickleList { IsClosed: false } && Reachable, "it adds to no list");
        Array.ForEach(items, item => ((PickleList)Top!).Add(Value(item)));
    }

    private void SetItems(object?[] items)
    {
        Demand(Top is PickleDict { IsClosed: false } && Reachable && items.Length % 2 == 0, "it adds to no dict");
        for (var i = 0; i < items.Length; i += 2)
        {
            Demand(items[i] is string or long or double or bool or PickleTensor or PickleComplex, "a dict has a key of another kind");
            ((PickleDict)Top!).Add(items[i], Value(items[i + 1]));
        }
    }

    /// <summary>Whether the last value lies above the last mark.</summary>
    private bool Reachable => marks.Count == 0 || stack.Count > marks.Peek();

    private void Remember(long index)
    {
        Demand(stack.Count > 0 && index <= memo.Count, "it remembers a value at a place that is not the next");
        if (index == memo.Count)
        {
            memo.Add(Top);
        }
        else
        {
            memo[(int)index] = Top;
        }
    }

    private void Recall(long index)
    {
        Demand(index < memo.Count, "it recalls a value that it has not remembered");
        Demand(memo[(int)index] is not PickleContainer { IsClosed: false }, "a value holds itself");
        Push(memo[(int)index]);
    }

    private void Reduce(object?[] call)
    {
        Demand(call[0] is PickleName && call[1] is PickleTuple, "it calls no function");
        Push(builder.Call(((PickleName)call[0]!).Name, (PickleTuple)call[1]!));
    }

    private void Build(object?[] call)
    {
        if (call[0] is PickleName { Name: var name } && call[1] is not PickleDict)
        {
            throw new NotSupportedException($"holds an object of {name}, which runs code while it is loaded (__setstate__): TorchSharp's jit.load does that, from a source that you trust");
        }

        Demand(call[0] is PickleName && call[1] is PickleDict, "it builds no object");
        Push(builder.Object(((PickleName)call[0]!).Name, (PickleDict)call[1]!));
    }

    private static object? Value(object? item)
    {
        Demand(item is not (PickleName or PickleStorage or PickleTuple { IsRaw: true }), "a name or a storage where a value should be");
        return item;
    }

    private long Long()
    {
        Demand(Byte() == 8, "an integer of other than 8 bytes");
        return BinaryPrimitives.ReadInt64LittleEndian(Take(8));
    }

    private string Line()
    {
        var length = bytes.AsSpan(position).IndexOf((byte)'\n');
        Demand(length >= 0, "it ends early");
        var line = Encoding.Latin1.GetString(Take(length));
        Demand(line.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'), "a name that is none");
        position++;
        return line;
    }

    private int Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(long count)
    {
        Demand(count <= bytes.Length - position, "it ends early");
        position += (int)count;
        return bytes.AsSpan(position - (int)count, (int)count);
    }

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException(otherwise);
        }
    }
}
