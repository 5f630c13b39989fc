using System.Buffers.Binary;
using System.Text;

namespace TorchPooling.Tests.Build;

/// <summary>Libraries that need GLIBCXX_3.4.32: small ones made here, and the place of the flags in any of them.</summary>
internal static class GlibcxxElf
{
    internal const string Version = "GLIBCXX_3.4.32";
    internal const string UncalledSymbol = "_ZSt21ios_base_library_initv";
    private const int HeaderSize = 64, SectionSize = 64;

    /// <summary>
    /// An ELF file of the five sections that the fix reads, their table first. It needs GLIBC_2.2.5 (index 2) of libm
    /// and GLIBCXX_3.4 (3) and <paramref name="version"/> (4) of libstdc++, whose symbols are the given ones.
    /// </summary>
    internal static byte[] Create(string version = Version, params string[] symbols)
    {
        var texts = new MemoryStream();
        int Text(string text)
        {
            var at = (int)texts.Length;
            texts.Write(Encoding.ASCII.GetBytes(text + "\0"));
            return at;
        }

        Text("");
        string[] names = ["", "sin", "_ZSt4cout", .. symbols];
        var symbolTable = Bytes(names.SelectMany(name => new[] { Text(name), 0x12, 0, 0, 0, 0 }));
        var symbolVersions = new byte[] { 0, 0, 2, 0, 3, 0 }.Concat(symbols.SelectMany(_ => new byte[] { 4, 0 })).ToArray();

        // Elf64_Verneed: version 1 | count << 16, file, first entry, next library.
        // Elf64_Vernaux: hash, flags | index << 16, name, next entry.
        var needs = Bytes(
        [
            1 | (1 << 16), Text("libm.so.6"), 16, 32,
            Hash("GLIBC_2.2.5"), 2 << 16, Text("GLIBC_2.2.5"), 0,
            1 | (2 << 16), Text("libstdc++.so.6"), 16, 0,
            Hash("GLIBCXX_3.4"), 3 << 16, Text("GLIBCXX_3.4"), 16,
            Hash(version), 4 << 16, Text(version), 0,
        ]);

        (int Type, int Link, byte[] Content)[] sections =
        [
            (0, 0, []), (3, 0, texts.ToArray()), (11, 1, symbolTable), (0x6fffffff, 2, symbolVersions), (0x6ffffffe, 1, needs),
        ];
        var elf = new MemoryStream();
        elf.Write([0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, .. new byte[8]]);
        elf.Write(Bytes([3 | (62 << 16), 1, 0, 0, 0, 0, HeaderSize, 0, 0, HeaderSize, SectionSize << 16, sections.Length]));
        var offset = HeaderSize + SectionSize * sections.Length;
        foreach (var (type, link, content) in sections)
        {
            elf.Write(Bytes([0, type, 0, 0, 0, 0, offset, 0, content.Length, 0, link, 0, 0, 0, 0, 0]));
            offset += content.Length;
        }

        foreach (var (_, _, content) in sections)
        {
            elf.Write(content);
        }

        return elf.ToArray();
    }

    /// <summary>The same library with the flags of the version need set to <paramref name="flag"/>.</summary>
    internal static byte[] WithFlag(byte[] elf, byte flag)
    {
        var changed = elf.ToArray();
        changed[FlagOffset(elf)] = flag;
        return changed;
    }

    /// <summary>Where the flags are: behind the only hash of the version, whatever the tables of the file say.</summary>
    internal static int FlagOffset(byte[] bytes)
    {
        var hash = Bytes([Hash(Version)]);
        var at = bytes.AsSpan().IndexOf(hash);
        if (at < 0 || bytes.AsSpan(at + 1).IndexOf(hash) >= 0)
        {
            throw new InvalidDataException($"expected the hash of {Version} once.");
        }

        return at + 4;
    }

    // The hash of the System V ABI, figure 5-13.
    private static int Hash(string name)
    {
        uint hash = 0;
        foreach (var c in name)
        {
            hash = (hash << 4) + c;
            var high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }

        return (int)hash;
    }

    private static byte[] Bytes(IEnumerable<int> words)
    {
        var bytes = new List<byte>();
        Span<byte> word = stackalloc byte[4];
        foreach (var value in words)
        {
            BinaryPrimitives.WriteInt32LittleEndian(word, value);
            bytes.AddRange(word);
        }

        return [.. bytes];
    }
}
