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
/// including &lt;iostream&gt; and nothing calls; any other file stays as it is, with a warning.
/// </summary>
public class WeakenGlibcxxVersion : Task
{
    private const string Version = "GLIBCXX_3.4.32";
    private const string UncalledSymbol = "_ZSt21ios_base_library_initv";
    private const ushort WeakFlag = 2;
    private const uint SectionVersionNeeds = 0x6ffffffe, SectionVersionOfSymbol = 0x6fffffff, SectionDynamicSymbols = 11;

    [Required] public string[] Files { get; set; } = Array.Empty<string>();

    /// <summary>auto or always.</summary>
    public string Mode { get; set; } = "auto";

    public override bool Execute()
    {
        if (Mode != "auto" && Mode != "always")
        {
            Log.LogError($"TorchSharpWeakGlibcxx is '{Mode}', expected one of: auto, always, never.");
            return false;
        }

        if (Mode == "auto" && SystemHasVersion())
        {
            return true;
        }

        foreach (var file in Files)
        {
            Weaken(file);
        }

        return !Log.HasLoggedErrors;
    }

    private static bool SystemHasVersion()
    {
        var listed = (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(':').Where(d => d.Length > 0);
        string[] standard = { "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib" };
        var library = listed.Concat(standard).Select(d => Path.Combine(d, "libstdc++.so.6")).FirstOrDefault(File.Exists);

        // Without a libstdc++ the library cannot load whatever its versions say.
        return library == null || Encoding.ASCII.GetString(File.ReadAllBytes(library)).Contains(Version + "\0");
    }

    private void Weaken(string file)
    {
        try
        {
            var bytes = File.ReadAllBytes(file);
            var flags = FindFlags(bytes);
            if (flags < 0 || (bytes[flags] & WeakFlag) != 0)
            {
                return;
            }

            bytes[flags] |= (byte)WeakFlag;
            Replace(file, bytes);
            Log.LogMessage(MessageImportance.High, $"{file}: {Version} is now a weak need, for this system's older libstdc++.");
        }
        catch (Exception e) when (e is InvalidDataException || e is IOException || e is UnauthorizedAccessException)
        {
            Log.LogWarning($"{file}: left as it is, {e.Message} TorchSharp may not load on a system without {Version}.");
        }
    }

    // A new file takes the name: the old one may be a hard link into the packages folder. Its time is kept, so that
    // the next build sees an up-to-date copy.
    private static void Replace(string file, byte[] bytes)
    {
        var time = File.GetLastWriteTimeUtc(file);
        var temporary = file + ".weak";
        File.Copy(file, temporary, overwrite: true);   // takes the permissions along
        File.WriteAllBytes(temporary, bytes);
        File.SetLastWriteTimeUtc(temporary, time);
        File.Replace(temporary, file, null);
    }

    /// <summary>Offset of the flags of the version need; -1 if the library does not need the version.</summary>
    private static int FindFlags(byte[] elf)
    {
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[2] != 'L' || elf[3] != 'F')
        {
            throw new InvalidDataException("it is no ELF file.");
        }

        if (elf[4] != 2 || elf[5] != 1)
        {
            throw new InvalidDataException("it is no 64-bit little-endian ELF file.");
        }

        try
        {
            var sections = Sections(elf);
            var flags = -1;
            foreach (var needs in sections.Where(s => s.Type == SectionVersionNeeds))
            {
                foreach (var need in VersionNeeds(elf, needs, sections[needs.Link]).Where(n => n.Name == Version))
                {
                    var symbols = SymbolsOfVersion(elf, sections, need.Index);
                    if (symbols.Count != 1 || symbols[0] != UncalledSymbol)
                    {
                        throw new InvalidDataException($"it takes [{string.Join(", ", symbols)}] of {Version}, expected {UncalledSymbol} alone.");
                    }

                    flags = need.Flags;
                }
            }

            return flags;
        }
        catch (Exception e) when (e is ArgumentException || e is OverflowException || e is IndexOutOfRangeException)
        {
            throw new InvalidDataException("its ELF tables point outside the file (truncated?).");
        }
    }

    private static List<Section> Sections(byte[] elf)
    {
        var start = checked((int)BitConverter.ToInt64(elf, 0x28));
        int size = BitConverter.ToUInt16(elf, 0x3a), count = BitConverter.ToUInt16(elf, 0x3c);
        return Enumerable.Range(0, count).Select(i => new Section(elf, start + i * size)).ToList();
    }

    private static IEnumerable<VersionNeed> VersionNeeds(byte[] elf, Section section, Section names)
    {
        for (int entry = section.Offset, next = -1; next != 0; entry += next)
        {
            var auxiliary = entry + BitConverter.ToInt32(elf, entry + 8);
            for (var left = BitConverter.ToUInt16(elf, entry + 2); left > 0; left--)
            {
                yield return new VersionNeed(
                    Text(elf, names.Offset + BitConverter.ToInt32(elf, auxiliary + 8)),
                    auxiliary + 4,
                    BitConverter.ToUInt16(elf, auxiliary + 6));
                auxiliary += BitConverter.ToInt32(elf, auxiliary + 12);
            }

            next = BitConverter.ToInt32(elf, entry + 12);
            if (next < 0)
            {
                throw new IndexOutOfRangeException();
            }
        }
    }

    private static List<string> SymbolsOfVersion(byte[] elf, List<Section> sections, int version)
    {
        var versions = sections.First(s => s.Type == SectionVersionOfSymbol);
        var symbols = sections.First(s => s.Type == SectionDynamicSymbols);
        var names = sections[symbols.Link];
        return Enumerable.Range(0, versions.Size / 2)
            .Where(i => (BitConverter.ToUInt16(elf, versions.Offset + 2 * i) & 0x7fff) == version)
            .Select(i => Text(elf, names.Offset + BitConverter.ToInt32(elf, symbols.Offset + 24 * i)))
            .ToList();
    }

    private static string Text(byte[] elf, int offset)
    {
        var end = Array.IndexOf(elf, (byte)0, offset);
        return Encoding.ASCII.GetString(elf, offset, end - offset);
    }

    private sealed class Section
    {
        public Section(byte[] elf, int header)
        {
            Type = BitConverter.ToUInt32(elf, header + 4);
            Offset = checked((int)BitConverter.ToInt64(elf, header + 0x18));
            Size = checked((int)BitConverter.ToInt64(elf, header + 0x20));
            Link = BitConverter.ToInt32(elf, header + 0x28);
        }

        public uint Type { get; }
        public int Offset { get; }
        public int Size { get; }
        public int Link { get; }
    }

    private sealed class VersionNeed
    {
        public VersionNeed(string name, int flags, int index)
        {
            Name = name;
            Flags = flags;
            Index = index;
        }

        public string Name { get; }
        public int Flags { get; }
        public int Index { get; }
    }
}
