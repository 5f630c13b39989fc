namespace Experiments;

/// <summary>The folder of one run, held so that no second run writes into it.</summary>
internal sealed class RunFolder : IDisposable
{
    // What the system says of a file that another process holds: Windows twice, Linux and macOS by their error numbers.
    private static readonly int[] Held = [unchecked((int)0x80070020), unchecked((int)0x80070021), 11, 35];

    private readonly IReadOnlyList<string> made;
    private readonly FileStream? hold;

    /// <param name="path">A folder, made where it is not there.</param>
    /// <param name="files">Names that the run will write.</param>
    /// <exception cref="UserException">Another run holds the folder, or one of <paramref name="files"/> is there.</exception>
    public RunFolder(string path, params IReadOnlyList<string> files)
    {
        Path = path;
        made = [.. Missing(path)];
        Directory.CreateDirectory(path);
        try
        {
            hold = Hold();
            var existing = files.FirstOrDefault(name => System.IO.Path.Exists(File(name)));
            UserException.ThrowUnless(existing is null, $"{path} already holds {existing}: choose another --out");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Folders that the run made and that got nothing are not left behind.</summary>
    public void Dispose()
    {
        hold?.Dispose();
        foreach (var folder in made.TakeWhile(folder => !Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            Directory.Delete(folder);
        }
    }

    private FileStream Hold()
    {
        try
        {
            return new(File(".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (Held.Contains(e.HResult))
        {
            throw new UserException($"{Path}: another run is writing there ({e.Message})", e);
        }
    }

    /// <summary>The folder and those above it that are not there, the innermost first.</summary>
    private static IEnumerable<string> Missing(string path)
    {
        for (var folder = System.IO.Path.GetFullPath(path); folder is not null && !Directory.Exists(folder); folder = System.IO.Path.GetDirectoryName(folder))
        {
            yield return folder;
        }
    }
}
