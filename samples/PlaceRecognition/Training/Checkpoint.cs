using System.IO.Compression;
using System.Text.Json;

namespace PlaceRecognition.Training;

/// <summary>Everything that a run needs to go on: one zip file, replaced whole after every epoch.</summary>
/// <param name="path">The file; kept in memory alone where null.</param>
/// <param name="settings">What the run was started with, as JSON.</param>
internal sealed class Checkpoint(string? path, string settings)
{
    private const string StateEntry = "state.json";

    private sealed record State(string Settings, Dictionary<string, PoolingProgress> Poolings);

    /// <summary>What the run was started with, as JSON.</summary>
    public string Settings { get; } = settings;

    public Dictionary<string, PoolingProgress> Poolings { get; private init; } = [];

    /// <summary>Weights and optimizer states by name.</summary>
    public Dictionary<string, byte[]> Parts { get; } = [];

    public static Checkpoint Load(string path)
    {
        try
        {
            using var archive = ZipFile.OpenRead(path);
            var state = JsonSerializer.Deserialize<State>(Read(archive.GetEntry(StateEntry) ?? throw new InvalidDataException($"it has no {StateEntry}")))
                ?? throw new InvalidDataException($"{StateEntry} is empty");
            var checkpoint = new Checkpoint(path, state.Settings) { Poolings = state.Poolings };
            foreach (var entry in archive.Entries.Where(entry => entry.FullName != StateEntry))
            {
                checkpoint.Parts[entry.FullName] = Read(entry);
            }

            return checkpoint;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserException($"{path}: no checkpoint to resume from: {e.Message}", e);
        }
    }

    public void Save()
    {
        if (path is not null)
        {
            WholeFile.Write(path, Write);
        }
    }

    private void Write(Stream stream)
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        Write(archive, StateEntry, JsonSerializer.SerializeToUtf8Bytes(new State(Settings, Poolings)));
        foreach (var (name, bytes) in Parts)
        {
            Write(archive, name, bytes);
        }
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    private static void Write(ZipArchive archive, string name, byte[] bytes)
    {
        using var stream = archive.CreateEntry(name, CompressionLevel.Fastest).Open();
        stream.Write(bytes);
    }
}
