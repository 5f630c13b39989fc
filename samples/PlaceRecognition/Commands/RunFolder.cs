namespace PlaceRecognition.Commands;

/// <summary>The folder of one run, held so that no second run writes into it.</summary>
internal sealed class RunFolder : IDisposable
{
    private readonly FileStream hold;

    public RunFolder(string path)
    {
        Path = path;
        Directory.CreateDirectory(path);
        try
        {
            hold = new(File(".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e)
        {
            throw new UserException($"{path}: another run is writing there ({e.Message})", e);
        }
    }

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>A folder that got nothing is not left behind.</summary>
    public void Dispose()
    {
        hold.Dispose();
        if (!Directory.EnumerateFileSystemEntries(Path).Any())
        {
            Directory.Delete(Path);
        }
    }
}
