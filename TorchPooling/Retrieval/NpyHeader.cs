using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>What a <c>.npy</c> file says of itself, for a matrix in row order.</summary>
internal sealed partial record NpyHeader(long Rows, long Columns, ScalarType DType)
{
    /// <summary>Bytes of a header as written here: whole lines of 64, long enough for every shape.</summary>
    public const int WrittenLength = 128;

    private const int Longest = 1 << 16;
    private const long LongestRow = 1L << 30;

    private static readonly byte[] Magic = [0x93, .. "NUMPY"u8];

    private static readonly Dictionary<string, ScalarType> Types = new()
    {
        ["<f2"] = ScalarType.Float16,
        ["<f4"] = ScalarType.Float32,
        ["<f8"] = ScalarType.Float64,
        ["<i8"] = ScalarType.Int64,
    };

    public long RowBytes => Columns * DType.ElementSize();

    public long Bytes => Rows * RowBytes;

    /// <summary>The header of a file to which a batch is added.</summary>
    public static NpyHeader After(NpyHeader? before, Tensor batch)
    {
        ArgumentNullException.ThrowIfNull(batch, "rows");
        if (batch.dim() != 2 || batch.size(1) < 1 || !Types.ContainsValue(batch.dtype) || batch.size(1) * batch.dtype.ElementSize() > LongestRow)
        {
            throw new ArgumentException(
                $"expected rows (n, D) of float16, float32, float64 or int64, D ≥ 1, at most 1 GiB each, got {batch.dtype} {Check.Shape(batch)}", "rows");
        }

        Check.Dense(batch, "rows");
        before ??= new(0, batch.size(1), batch.dtype);
        return batch.size(1) == before.Columns && batch.dtype == before.DType
            ? before with { Rows = before.Rows + batch.size(0) }
            : throw new ArgumentException($"expected {before.DType} (n, {before.Columns}) as the first batch, got {batch.dtype} {Check.Shape(batch)}", "rows");
    }

    public byte[] ToBytes()
    {
        var type = Types.First(entry => entry.Value == DType).Key;
        var text = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({Rows}, {Columns}), }}");
        var start = Magic.Length + 4;
        return [.. Magic, 1, 0, WrittenLength - 10, 0, .. Encoding.ASCII.GetBytes(text.PadRight(WrittenLength - start - 1)), (byte)'\n'];
    }

    /// <summary>Reads and checks the header, and that the file is as long as it says; the stream is at the first row then.</summary>
    public static NpyHeader Read(FileStream stream, string path)
    {
        try
        {
            var header = Parse(Text(stream));
            var length = (Int128)header.Rows * header.RowBytes + stream.Position;
            return stream.Length == length
                ? header
                : throw new InvalidDataException($"expected {length} bytes for the shape ({header.Rows}, {header.Columns}), got {stream.Length}");
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException($"{path}: expected the header of a .npy file, got {stream.Length} bytes", e);
        }
    }

    private static string Text(FileStream stream)
    {
        var start = new byte[Magic.Length + 2];
        stream.ReadExactly(start);
        if (!start.AsSpan().StartsWith(Magic) || start[^2] is < 1 or > 3)
        {
            throw new InvalidDataException($"expected a .npy file of version 1, 2 or 3, got one that starts with {Convert.ToHexString(start)}");
        }

        Span<byte> size = stackalloc byte[4];
        size.Clear();
        stream.ReadExactly(start[^2] == 1 ? size[..2] : size);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (length > Longest)
        {
            throw new InvalidDataException($"expected a header of at most {Longest} bytes, got {length}");
        }

        var text = new byte[length];
        stream.ReadExactly(text);
        return Encoding.UTF8.GetString(text).Trim();
    }

    private static NpyHeader Parse(string text)
    {
        IReadOnlyCollection<Match> matches = Dictionary().IsMatch(text) ? Entry().Matches(text) : [];
        if (!matches.Select(entry => entry.Groups[1].Value).Order(StringComparer.Ordinal).SequenceEqual(["descr", "fortran_order", "shape"]))
        {
            throw new InvalidDataException($"expected a header with 'descr', 'fortran_order' and 'shape', got {Shortened(text)}");
        }

        var entries = matches.ToDictionary(entry => entry.Groups[1].Value, entry => entry.Groups[2].Value);
        if (!Types.TryGetValue(entries["descr"].Trim('\''), out var type))
        {
            throw new InvalidDataException($"expected one of the dtypes {string.Join(", ", Types.Keys)}, got {Shortened(entries["descr"])}");
        }

        if (entries["fortran_order"] != "False")
        {
            throw new InvalidDataException($"expected rows in C order, got fortran_order {Shortened(entries["fortran_order"])}");
        }

        var shape = entries["shape"].Trim('(', ')').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return shape.Length == 2
            && long.TryParse(shape[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rows)
            && long.TryParse(shape[1], NumberStyles.None, CultureInfo.InvariantCulture, out var columns)
            && columns > 0 && columns <= LongestRow / type.ElementSize()
            ? new(rows, columns, type)
            : throw new InvalidDataException($"expected a shape (N, D), D ≥ 1, at most 1 GiB a row, got {Shortened(entries["shape"])}");
    }

    private static string Shortened(string text) => text.Length <= 200 ? text : $"{text[..200]}…";

    private const string One = @"'(\w+)'(?>\s*):(?>\s*)('[^']*'|True|False|\([\d, ]*\))";

    [GeneratedRegex(One)]
    private static partial Regex Entry();

    [GeneratedRegex($@"^\{{(?>\s*){One}(?>\s*)(,(?>\s*){One}(?>\s*)){{2}}(,(?>\s*))?\}}$")]
    private static partial Regex Dictionary();
}
