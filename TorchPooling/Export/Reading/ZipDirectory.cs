using System.Buffers.Binary;
using System.Text;

namespace TorchPooling;

/// <summary>An entry of a zip archive: its place in the file, its length there and unpacked.</summary>
internal sealed record ZipEntry(string Name, long Start, long Stored, long Length, uint Crc, bool IsPacked);

/// <summary>The directory at the end of a zip archive, read so strictly that libtorch cannot read it in another way.</summary>
internal sealed class ZipDirectory
{
    private const int EndSize = 22, End64Size = 56, LocatorSize = 20, CentralSize = 46, LocalSize = 30;
    private const uint EndMark = 0x06054b50, End64Mark = 0x06064b50, LocatorMark = 0x07064b50, CentralMark = 0x02014b50, LocalMark = 0x04034b50;
    private const int MaxSize = 64 << 20;   // a million entries
    private const ushort AllowedFlags = 0x080E;   // compression level, sizes after the data too, names in UTF-8

    private readonly ZipBytes file;
    private readonly long start;

    /// <param name="file">The file.</param>
    /// <exception cref="InvalidDataException">The file does not end with a directory, or with one that can be read in two ways.</exception>
    public ZipDirectory(ZipBytes file)
    {
        this.file = file;
        (start, var size, var count) = Find();
        ZipBytes.Demand(size <= MaxSize, "its directory of entries is too large");
        var rest = file.Read(start, (int)size);
        var entries = new List<ZipEntry>();
        for (long i = 0; i < count; i++)
        {
            entries.Add(Next(ref rest));
        }

        ZipBytes.Demand(rest.Length == 0 && entries.Sum(entry => entry.Stored) <= start, "its entries overlap");
        Entries = entries;
    }

    public IReadOnlyList<ZipEntry> Entries { get; }

    private (long Start, long Size, long Count) Find()
    {
        var length = file.Length;
        ZipBytes.Demand(length >= EndSize, "it ends before its directory of entries");
        var at = length - EndSize;
        var end = file.Read(at, EndSize);
        ZipBytes.Demand(U32(end, 0) == EndMark && U32(end, 4) == 0 && U16(end, 20) == 0, "it does not end with a directory of entries");
        (long Start, long Size, long Count) found = (U32(end, 16), U32(end, 12), U16(end, 10));
        if (at >= LocatorSize + End64Size && file.Read(at - LocatorSize, LocatorSize) is var locator && U32(locator, 0) == LocatorMark)
        {
            at -= LocatorSize + End64Size;
            var end64 = file.Read(at, End64Size);
            ZipBytes.Demand(U32(end64, 0) == End64Mark && I64(locator, 8) == at && U32(locator, 4) == 0 && U32(locator, 16) <= 1, "its two directories differ");
            (long Start, long Size, long Count) wide = (I64(end64, 48), I64(end64, 40), I64(end64, 32));
            ZipBytes.Demand(
                (found.Start == wide.Start || found.Start == uint.MaxValue) && (found.Size == wide.Size || found.Size == uint.MaxValue)
                && (found.Count == wide.Count || found.Count == ushort.MaxValue), "its two directories differ");
            found = wide;
        }

        ZipBytes.Demand(found.Start >= 0 && found.Size >= 0 && found.Size <= at && found.Start == at - found.Size, "its directory of entries is not where it should be");
        return found;
    }

    private ZipEntry Next(ref ReadOnlySpan<byte> directory)
    {
        ZipBytes.Demand(directory.Length >= CentralSize && U32(directory, 0) == CentralMark, "its directory of entries ends early");
        var (nameLength, extraLength, commentLength) = (U16(directory, 28), U16(directory, 30), U16(directory, 32));
        var length = CentralSize + nameLength + extraLength + commentLength;
        ZipBytes.Demand(directory.Length >= length && (U16(directory, 8) & ~AllowedFlags) == 0 && U16(directory, 34) == 0, "its directory of entries is none that libtorch reads");
        var name = Encoding.Latin1.GetString(directory.Slice(CentralSize, nameLength));
        ZipBytes.Demand(name.Length > 0 && name.Length < 512 && !name.Contains('\0') && name.Contains('/'), "its directory of entries has a name that libtorch does not read");
        var method = U16(directory, 10);
        ZipBytes.Demand(method is 0 or 8, $"entry {name} is packed in a way that libtorch does not read");
        var (stored, full, start) = Wide(directory.Slice(CentralSize + nameLength, extraLength), U32(directory, 20), U32(directory, 24), U32(directory, 42));
        var entry = new ZipEntry(name, Data(name, start, stored), stored, full, U32(directory, 16), method == 8);
        ZipBytes.Demand(full >= 0 && (entry.IsPacked || full == stored), $"entry {name} has two lengths");
        directory = directory[length..];
        return entry;
    }

    /// <summary>Sizes and place of an entry, from the zip64 field where they are too large for their own.</summary>
    private static (long Stored, long Full, long Start) Wide(ReadOnlySpan<byte> extra, long stored, long full, long start)
    {
        for (var seen = false; extra.Length >= 4;)
        {
            var (id, size) = (U16(extra, 0), U16(extra, 2));
            ZipBytes.Demand(size <= extra.Length - 4 && !(id == 1 && seen), "its directory of entries is none that libtorch reads");
            if (id == 1)
            {
                seen = true;
                var field = extra.Slice(4, size);
                (full, stored, start) = (Next(ref field, full), Next(ref field, stored), Next(ref field, start));
            }

            extra = extra[(4 + size)..];
        }

        return (stored, full, start);

        static long Next(ref ReadOnlySpan<byte> field, long narrow)
        {
            if (narrow != uint.MaxValue)
            {
                return narrow;
            }

            ZipBytes.Demand(field.Length >= 8, "its directory of entries is none that libtorch reads");
            var value = I64(field, 0);
            field = field[8..];
            return value;
        }
    }

    /// <summary>Where the bytes of an entry start, behind the header that repeats its name.</summary>
    private long Data(string name, long header, long stored)
    {
        ZipBytes.Demand(header >= 0 && header <= start - LocalSize, $"entry {name} lies outside of the file");
        var local = file.Read(header, LocalSize);
        ZipBytes.Demand(U32(local, 0) == LocalMark, $"entry {name} is not where it should be");
        var data = header + LocalSize + U16(local, 26) + U16(local, 28);
        ZipBytes.Demand(stored >= 0 && stored <= start - data, $"entry {name} lies outside of the file");
        return data;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
