using System.IO.Compression;
using System.Text.Json;

namespace PlaceRecognition.Training;

/// <summary>How far one pooling has come.</summary>
internal sealed class PoolingProgress
{
    /// <summary>Recall@1, @2, … on the test streets before training.</summary>
    public double[] Untrained { get; set; } = [];

    /// <summary>The same with the weights of the best epoch; empty until all epochs are done.</summary>
    public double[] Trained { get; set; } = [];

    /// <summary>Mean loss of each epoch.</summary>
    public List<double> Loss { get; set; } = [];

    /// <summary>Recall@1 and Recall@5 on the validation streets after each epoch.</summary>
    public List<double[]> Validation { get; set; } = [];

    public int BestEpoch { get; set; } = -1;

    public int Dimensions { get; set; }

    public double TrainSeconds { get; set; }

    /// <summary>Of each query, while the pooling is being trained.</summary>
    public int[][] RememberedNegatives { get; set; } = [];
}

/// <summary>Everything that a run needs to go on: one zip file, replaced whole after every epoch.</summary>
internal sealed class Checkpoint(string path, string settings)
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

    public void Save() => WholeFile.Write(path, stream =>
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        Write(archive, StateEntry, JsonSerializer.SerializeToUtf8Bytes(new State(Settings, Poolings)));
        foreach (var (name, bytes) in Parts)
        {
            Write(archive, name, bytes);
        }
    });

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
