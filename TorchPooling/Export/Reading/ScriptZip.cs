using System.Buffers;
using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace TorchPooling;

/// <summary>The zip archive of a TorchScript file.</summary>
internal sealed class ScriptZip
{
    private const int MaxUnpacked = 32 << 20;   // of source or of the places it came from, which are packed
    private const int MaxWhole = 256 << 20;   // of the data beside the tensors
    private const int AtOnce = 1 << 20;

    private readonly ZipBytes file;
    private readonly Dictionary<string, ZipEntry> entries = new(StringComparer.OrdinalIgnoreCase);   // as libtorch looks them up

    /// <param name="file">The file.</param>
    /// <exception cref="InvalidDataException">Its directory is none that zip archives end with.</exception>
    public ScriptZip(SafeFileHandle file)
    {
        this.file = new(file);
        var all = new ZipDirectory(this.file).Entries;
        var folder = all.Count == 0 ? "" : all[0].Name.Split('/')[0] + "/";
        foreach (var entry in all.Where(entry => entry.Name.StartsWith(folder, StringComparison.OrdinalIgnoreCase)))
        {
            ZipBytes.Demand(entries.TryAdd(entry.Name[folder.Length..], entry), $"it has two entries {entry.Name}");
        }
    }

    /// <summary>The entries by their names in the archive's one folder.</summary>
    public IReadOnlyDictionary<string, ZipEntry> Entries => entries;

    /// <summary>All bytes of an entry.</summary>
    /// <exception cref="InvalidDataException">They are not those that were written.</exception>
    public byte[] Unpack(string name)
    {
        var entry = entries[name];
        ZipBytes.Demand(Math.Max(entry.Stored, entry.Length) <= (entry.IsPacked ? MaxUnpacked : MaxWhole), $"entry {name} is too large");
        var bytes = entry.IsPacked ? Inflate(name, entry) : file.Read(entry.Start, (int)entry.Length).ToArray();
        ZipBytes.Demand(Crc32.HashToUInt32(bytes) == entry.Crc, $"entry {name} does not have the checksum that the archive states");
        return bytes;
    }

    /// <summary>Compares an entry with its checksum, without holding it in memory.</summary>
    /// <exception cref="InvalidDataException">They differ, or the entry is packed.</exception>
    public void CheckStored(string name)
    {
        var entry = entries[name];
        ZipBytes.Demand(!entry.IsPacked, $"entry {name} is compressed, which tensors never are");
        var buffer = ArrayPool<byte>.Shared.Rent(AtOnce);
        try
        {
            var crc = new Crc32();
            for (long at = 0; at < entry.Length; at += AtOnce)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(AtOnce, entry.Length - at));
                file.Fill(entry.Start + at, part);
                crc.Append(part);
            }

            ZipBytes.Demand(crc.GetCurrentHashAsUInt32() == entry.Crc, $"entry {name} does not have the checksum that the archive states");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private byte[] Inflate(string name, ZipEntry entry)
    {
        try
        {
            using var inflated = new DeflateStream(new MemoryStream(file.Read(entry.Start, (int)entry.Stored).ToArray()), CompressionMode.Decompress);
            var bytes = new byte[entry.Length];
            inflated.ReadExactly(bytes);
            ZipBytes.Demand(inflated.ReadByte() < 0, $"entry {name} is longer than stated");
            return bytes;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"is truncated or damaged: entry {name} does not unpack to its stated length", e);
        }
    }
}
