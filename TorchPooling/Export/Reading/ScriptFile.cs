using System.Text;
using Microsoft.Win32.SafeHandles;

namespace TorchPooling;

/// <summary>Looks through a TorchScript file before libtorch does, which trusts what it reads.</summary>
internal sealed class ScriptFile
{
    private const long MaxValues = 1_000_000;
    private const long MaxDisposals = 1 << 26;   // half a minute
    private const string NewVersion = ".data/version", OldVersion = "version";   // libtorch looks for the first, then for the other

    private readonly ScriptZip zip;

    private ScriptFile(SafeFileHandle file) => zip = new(file);

    /// <exception cref="InvalidDataException">The file is no TorchScript file, a damaged one, or one that could harm the process; the
    /// message goes on after the path.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    public static void Check(string path)
    {
        using var file = File.OpenHandle(path);
        var start = new byte[FileKind.Looked];
        var count = RandomAccess.Read(file, start, 0);
        if (FileKind.Other(start.AsSpan(0, count)) is { } other)
        {
            throw new InvalidDataException($"is no TorchScript file: {other}");
        }

        new ScriptFile(file).Check();
    }

    private void Check()
    {
        CheckEntries();
        foreach (var name in zip.Entries.Keys.Where(name => name.StartsWith("data/", StringComparison.OrdinalIgnoreCase) || name.StartsWith("constants/", StringComparison.OrdinalIgnoreCase)))
        {
            zip.CheckStored(name);
        }

        CheckVersion();
        var source = new ScriptSource(zip.Entries.Keys.Where(IsSource).Select(name => (name, zip.Unpack(name))));
        var constants = Pickle("constants");
        Demand(constants is PickleTuple { Items: var items } && items.All(item => item is PickleTensor), "is damaged: its constants are no tensors");
        var data = Pickle("data");
        Demand(data is PickleObject, "is no TorchScript file: its data is no module");
        Demand(((PickleObject)data!).Size <= MaxValues && ((PickleObject)data).Disposals <= MaxDisposals, "has modules nested so deep that going through them takes minutes");
        new ScriptTypes(source).Check((PickleObject)data);
        Demand(source.Find(((PickleObject)data).ClassName)!.Kind == "Module", "is no TorchScript file: its data is no module");
        foreach (var name in zip.Entries.Keys.Where(name => name.EndsWith(".debug_pkl", StringComparison.OrdinalIgnoreCase)))
        {
            SourcePlaces.Check(new PickleReader(name, zip.Unpack(name), new(_ => null)).Read(), name);
        }
    }

    private void CheckEntries()
    {
        var names = zip.Entries;
        Demand(!names.ContainsKey("model.json"), "was written by a PyTorch older than 1.4: load and save it again with a newer one");
        Demand(names.ContainsKey("data.pkl"), "is no TorchScript file: it is a zip archive of something else");
        Demand(names.ContainsKey("constants.pkl") || names.Keys.Any(IsSource), $"is no TorchScript file: it is {FileKind.TorchSave}");
        Demand(names.ContainsKey("constants.pkl"), "is damaged: it has no entry constants.pkl");
        Demand(names.ContainsKey(NewVersion) || names.ContainsKey(OldVersion), $"is damaged: it has no entry {OldVersion}");
    }

    private void CheckVersion()
    {
        var version = Encoding.Latin1.GetString(zip.Unpack(zip.Entries.ContainsKey(NewVersion) ? NewVersion : OldVersion)).Trim();
        Demand(version.Length is > 0 and < 5 && version.All(char.IsAsciiDigit) && version[0] != '0', "is damaged: its version is no number");
    }

    private object? Pickle(string name) =>
        new PickleReader($"{name}.pkl", zip.Unpack($"{name}.pkl"), new(key => zip.Entries.TryGetValue($"{name}/{key}", out var entry) ? entry.Length : null)).Read();

    private static bool IsSource(string name) =>
        name.StartsWith("code/", StringComparison.OrdinalIgnoreCase) && name.EndsWith(".py", StringComparison.OrdinalIgnoreCase);

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException(otherwise);
        }
    }
}
