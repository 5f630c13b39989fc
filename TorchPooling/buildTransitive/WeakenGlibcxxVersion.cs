using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Marks the need for GLIBCXX_3.4.32 in an ELF library as weak (VER_FLG_WEAK), so that the loader of an older
/// libstdc++ accepts the library. It acts only where the one symbol of that version is the one that GCC 13 emits for
/// including &lt;iostream&gt; and nothing calls; a file that it does not understand stays as it is, with warning TPB001.
/// </summary>
public class WeakenGlibcxxVersion : Task
{
    private const string Version = "GLIBCXX_3.4.32";
    private const string UncalledSymbol = "_ZSt21ios_base_library_initv";
    private const byte WeakFlag = 2;
    private const uint Strings = 3, NoBits = 8, DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, VersionOfSymbols = 0x6fffffff;
    private const int HeaderSize = 64, SectionSize = 64, SymbolSize = 24, NeedSize = 16;

    [Required] public string[] Files { get; set; } = Array.Empty<string>();

    public override bool Execute()
    {
        foreach (var file in Files)
        {
            Weaken(file);
        }

        return true;
    }

    private void Weaken(string file)
    {
        try
        {
            var bytes = File.ReadAllBytes(file);
            var strong = FlagsOfVersion(bytes).Where(flags => (bytes[flags] & WeakFlag) == 0).ToList();
            if (strong.Count == 0)
            {
                return;
            }

            strong.ForEach(flags => bytes[flags] |= WeakFlag);
            Replace(file, bytes);
            Log.LogMessage(MessageImportance.High, $"{file}: the need for {Version} is now weak, so that an older libstdc++ will do.");
        }
        catch (Exception e) when (e is InvalidDataException || e is IOException || e is UnauthorizedAccessException)
        {
            Log.LogWarning(null, "TPB001", null, file, 0, 0, 0, 0,
                $"left as it is: {e.Message} TorchSharp will not load where libstdc++ lacks {Version}.");
        }
    }

    // A new file takes the name: the old one may be a hard or symbolic link into the packages folder. It keeps the
    // permissions and the time of the old one, so that the next build sees an up-to-date copy.
    private static void Replace(string file, byte[] bytes)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(file), Path.GetRandomFileName());
        try
        {
            File.Copy(file, temporary);
            var time = File.GetLastWriteTimeUtc(temporary);
            File.WriteAllBytes(temporary, bytes);
            File.SetLastWriteTimeUtc(temporary, time);
            File.Replace(temporary, file, null);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Offsets of the flags of the version need; none if the library does not need the version.</summary>
    private static List<int> FlagsOfVersion(byte[] elf)
    {
        Expect(elf.Length >= 4 && BitConverter.ToUInt32(elf, 0) == 0x464c457f, "it is no ELF file.");
        Expect(elf.Length >= HeaderSize, "it is truncated.");
        Expect(elf[4] == 2 && elf[5] == 1, "it is no 64-bit little-endian ELF file.");

        var sections = Sections(elf);
        var flags = new List<int>();
        foreach (var needs in sections.Where(s => s.Type == VersionNeeds))
        {
            foreach (var need in Needs(elf, needs).Where(n => HasText(elf, Linked(sections, needs), n + 8, Version)))
            {
                ExpectUncalledSymbolAlone(elf, sections, BitConverter.ToUInt16(elf, need + 6));
                flags.Add(need + 4);
            }
        }

        return flags;
    }

    private static List<Section> Sections(byte[] elf)
    {
        var start = BitConverter.ToUInt64(elf, 0x28);
        int size = BitConverter.ToUInt16(elf, 0x3a), count = BitConverter.ToUInt16(elf, 0x3c);
        Expect(size == SectionSize && count > 0, "it has no section table of the usual form.");
        Expect(IsInside(elf, start, (ulong)(count * size)), "its section table ends outside the file (truncated?).");

        var sections = Enumerable.Range(0, count).Select(i => new Section(elf, (int)start + i * size)).ToList();
        Expect(sections.All(s => s.Type == NoBits || IsInside(elf, s.Offset, s.Size)), "a section ends outside the file (truncated?).");
        return sections;
    }

    /// <summary>Offsets of the Elf64_Vernaux entries of every library (Elf64_Verneed) that the section names.</summary>
    private static IEnumerable<int> Needs(byte[] elf, Section section)
    {
        // Entries are chained by distances that a broken file may make endless, so they are counted.
        var unread = (int)section.Size / NeedSize;
        long end = (long)(section.Offset + section.Size), next;
        for (var library = (long)section.Offset; ; library += next)
        {
            Expect(unread-- > 0 && library + NeedSize <= end, "its version needs are not chained as expected.");
            var need = library + BitConverter.ToUInt32(elf, (int)library + 8);
            for (var left = BitConverter.ToUInt16(elf, (int)library + 2); left > 0; left--)
            {
                Expect(unread-- > 0 && need + NeedSize <= end, "its version needs are not chained as expected.");
                yield return (int)need;
                need += BitConverter.ToUInt32(elf, (int)need + 12);
            }

            next = BitConverter.ToUInt32(elf, (int)library + 12);
            if (next == 0)
            {
                yield break;
            }
        }
    }

    private static void ExpectUncalledSymbolAlone(byte[] elf, List<Section> sections, int version)
    {
        var versions = sections.FirstOrDefault(s => s.Type == VersionOfSymbols);
        var symbols = sections.FirstOrDefault(s => s.Type == DynamicSymbols);
        Expect(versions != null && symbols != null && versions.Size / 2 == symbols.Size / SymbolSize, "its symbols and their versions do not match.");

        var names = Linked(sections, symbols);
        var taken = Enumerable.Range(0, (int)versions.Size / 2)
            .Where(i => (BitConverter.ToUInt16(elf, (int)versions.Offset + 2 * i) & 0x7fff) == version)
            .Select(i => (int)symbols.Offset + SymbolSize * i)
            .ToList();
        Expect(taken.Count == 1 && HasText(elf, names, taken[0], UncalledSymbol),
            $"it takes {taken.Count} symbol(s) of {Version}, expected {UncalledSymbol} alone.");
    }

    private static Section Linked(List<Section> sections, Section section)
    {
        Expect(section.Link < sections.Count, "a section links to one that does not exist.");
        return sections[(int)section.Link];
    }

    /// <summary>Whether the offset into the string table that is kept at <paramref name="place"/> leads to the text.</summary>
    private static bool HasText(byte[] elf, Section strings, int place, string text)
    {
        var offset = BitConverter.ToUInt32(elf, place);
        Expect(strings.Type == Strings && offset < strings.Size, "a name lies outside its string table.");
        var expected = Encoding.ASCII.GetBytes(text + "\0");
        return offset + (ulong)expected.Length <= strings.Size
            && new ArraySegment<byte>(elf, (int)strings.Offset + (int)offset, expected.Length).SequenceEqual(expected);
    }

    private static bool IsInside(byte[] elf, ulong offset, ulong size) =>
        offset <= (ulong)elf.Length && size <= (ulong)elf.Length - offset;

    private static void Expect(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidDataException(otherwise);
        }
    }

    private sealed class Section
    {
        public Section(byte[] elf, int header)
        {
            Type = BitConverter.ToUInt32(elf, header + 4);
            Offset = BitConverter.ToUInt64(elf, header + 0x18);
            Size = BitConverter.ToUInt64(elf, header + 0x20);
            Link = BitConverter.ToUInt32(elf, header + 0x28);
        }

        public uint Type { get; }
        public ulong Offset { get; }
        public ulong Size { get; }
        public uint Link { get; }
    }
}
