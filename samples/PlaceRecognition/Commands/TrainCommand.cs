using System.Globalization;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using Spectre.Console;
using TorchPooling;

namespace PlaceRecognition.Commands;

/// <summary>The main job: trains a network for each pooling, compares them on places never seen, exports and reports.</summary>
/// <param name="begun">The checkpoint to go on from, where there is one.</param>
/// <param name="epochDone">Called with the pooling's name and the number of its finished epochs, after their checkpoint.</param>
internal sealed class TrainCommand(
    RunOptions options, string folder, string deviceName, Checkpoint? begun, Action<string, int>? epochDone, CancellationToken cancellation)
{
    public const string CheckpointName = "checkpoint";

    private const string ModelName = "model.pt";
    private const string MetricsName = "metrics.json";
    private const string ReportName = "report.html";

    private readonly TrainingOptions training = options.Training;

    public void Run()
    {
        options.Check();
        var device = Devices.Find(deviceName);
        if (begun is null && File.Exists(Path.Combine(folder, CheckpointName)))
        {
            throw new UserException($"{folder} already holds a run: add --resume to go on, or choose another --name");
        }

        using var run = new RunFolder(folder, begun is null ? [ReportName, MetricsName, ModelName] : []);
        var places = PictureLoader.Find(options.Data, options.SkipUnreadable, options.Quick, options.HardQueries, ["train", "val", "test"], cancellation);
        var neighborhood = new Neighborhood(places[0]);
        CheckTrainable(places[0], neighborhood, training);
        var settings = options.Settings(places);
        if (begun is not null && RunOptions.Difference(begun.Settings, settings) is { Length: > 0 } difference)
        {
            throw new UserException($"{folder} was started with other options or pictures: {difference}");
        }

        var checkpoint = begun ?? new Checkpoint(run.File(CheckpointName), settings);
        var sets = PictureLoader.Load(places, options.ImageSize, device, cancellation);
        var runs = training.Poolings.ToDictionary(kind => kind, kind => new PoolingRun(kind, training, options.ImageSize, device, neighborhood, checkpoint));
        foreach (var kind in training.Poolings)
        {
            Train(kind, runs[kind], checkpoint, sets);
        }

        Finish(run, runs, checkpoint, sets[2]);
    }

    internal static void CheckTrainable(PlaceSet train, Neighborhood neighborhood, TrainingOptions training)
    {
        using var miner = neighborhood.CreateMiner(training);
        if (miner.Trainable.Length == 0)
        {
            throw new UserException(
                $"train: too few pictures ({train.Database.Count} in the database, {train.Queries.Count} queries): no query has a database "
                + $"picture within {TrainingOptions.PositiveRadius} m and {training.Negatives} beyond {Recall.Radius} m");
        }
    }

    private void Train(string kind, PoolingRun run, Checkpoint checkpoint, LoadedSet[] sets)
    {
        if (checkpoint.Poolings.TryGetValue(kind, out var done) && done.Trained.Length > 0)
        {
            Console.WriteLine($"{kind}: already trained");
            return;
        }

        Terminal.Track(kind, training.Epochs, (advance, say) => run.Train(sets[0], sets[1], sets[2], advance, OnEpoch(say), cancellation));

        Action<PoolingProgress> OnEpoch(Action<string> say) => progress =>
        {
            say(EpochLine(kind, progress));
            epochDone?.Invoke(kind, progress.Loss.Count);
        };
    }

    internal static string EpochLine(string name, PoolingProgress progress) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-8} epoch {progress.Loss.Count,2}  loss {progress.Loss[^1]:0.000}  validation recall@5 {progress.Validation[^1][1]:0.000}");

    private void Finish(RunFolder run, Dictionary<string, PoolingRun> runs, Checkpoint checkpoint, LoadedSet test)
    {
        AnsiConsole.Write(Summary.Table(training.Poolings, checkpoint.Poolings));
        var exported = training.Poolings[0];
        using var network = runs[exported].Best();
        using var example = test.Queries.Batch([.. Enumerable.Range(0, Math.Min(2, test.Places.Queries.Count))]);
        var difference = torchscript.save(network, run.File(ModelName), example);
        var metrics = new Metrics(options, checkpoint.Poolings, test.Places, exported, difference, deviceName);
        WholeFile.Write(run.File(MetricsName), metrics.Write);

        using var assigning = runs.GetValueOrDefault("netvlad")?.Best();
        using var ghost = runs.GetValueOrDefault("ghostvlad")?.Best();
        var page = new ReportPage(metrics, test, network, assigning, ghost);
        WholeFile.Write(run.File(ReportName), page.Write);
        var part = Pooling.Find(exported).LooksTwice ? ", for its first look alone" : "";
        Console.WriteLine($"{run.File(ReportName)} shows it all; {run.File(ModelName)} is the {exported} network as TorchScript{part}.");
    }
}
