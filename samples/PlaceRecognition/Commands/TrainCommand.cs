using System.Diagnostics;
using System.Globalization;
using PlaceRecognition.Data;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using PlaceRecognition.World;
using Spectre.Console;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>The main job: trains a network for each pooling, compares them on streets never seen, exports and reports.</summary>
internal sealed class TrainCommand(RunOptions options, Action<string, int>? epochDone, CancellationToken cancellation)
{
    private readonly TrainingOptions training = options.Training;

    public void Run()
    {
        options.Check();
        var device = Devices.Find(options.Device);
        var checkpoint = OpenCheckpoint();
        var places = PictureLoader.Find(
            options.Data, options.SkipUnreadable, options.Quick ? WorldSize.Quick : WorldSize.Default, options.MinimumSide, ["train", "val", "test"]);
        var sets = PictureLoader.Load(places, options.ImageSize, device, cancellation);
        CheckTrainable(sets[0].Places);
        Directory.CreateDirectory(options.Folder);

        var runs = training.Poolings.ToDictionary(kind => kind, kind => new PoolingRun(kind, training, options.ImageSize, device, checkpoint));
        foreach (var kind in training.Poolings)
        {
            Train(kind, runs[kind], checkpoint, sets);
        }

        Finish(runs, checkpoint, sets[2]);
    }

    private Checkpoint OpenCheckpoint()
    {
        if (!options.Resume)
        {
            return File.Exists(options.CheckpointPath)
                ? throw new UserException($"{options.Folder} already holds a run: add --resume to go on, or choose another --name")
                : new(options.CheckpointPath, options.Settings);
        }

        var found = Checkpoint.Load(options.CheckpointPath);
        return found.Settings == options.Settings
            ? found
            : throw new UserException($"{options.CheckpointPath} was started with other options: {found.Settings}");
    }

    private void CheckTrainable(PlaceSet train)
    {
        if (new TupleMiner(train, training).Trainable.Length == 0)
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
            AnsiConsole.MarkupLineInterpolated($"{kind}: already trained");
            return;
        }

        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask(kind, maxValue: training.Epochs);
                run.Train(sets[0], sets[1], sets[2], task.Increment, OnEpoch, cancellation);

                void OnEpoch(PoolingProgress progress)
                {
                    task.Description = string.Create(
                        CultureInfo.InvariantCulture,
                        $"{kind,-8} epoch {progress.Loss.Count,2}  loss {progress.Loss[^1]:0.000}  validation recall@5 {progress.Validation[^1][1]:0.000}");
                    epochDone?.Invoke(kind, progress.Loss.Count);
                }
            });
    }

    private void Finish(Dictionary<string, PoolingRun> runs, Checkpoint checkpoint, LoadedSet test)
    {
        var exported = training.Poolings[0];
        using var network = runs[exported].Best();
        using var example = test.Queries.Batch([.. Enumerable.Range(0, Math.Min(2, test.Places.Queries.Count))]);
        var modelPath = Path.Combine(options.Folder, "model.pt");
        var difference = torchscript.save(network, modelPath, example);
        var metrics = new Metrics(checkpoint.Poolings, exported, difference, ImagesPerSecond(network, test.Queries));
        WholeFile.Write(Path.Combine(options.Folder, "metrics.json"), metrics.Write);
        using var assigning = exported != "netvlad" && runs.TryGetValue("netvlad", out var netvlad) ? netvlad.Best() : null;
        var page = new ReportPage(options, checkpoint.Poolings, metrics, test, network, assigning ?? network);
        WholeFile.Write(Path.Combine(options.Folder, "report.html"), page.Write);
        AnsiConsole.Write(Summary.Table(training.Poolings, checkpoint.Poolings));
        AnsiConsole.MarkupLineInterpolated($"[bold]{Path.Combine(options.Folder, "report.html")}[/] shows it all; {modelPath} is the {exported} network as TorchScript.");
    }

    /// <summary>Pictures described a second, in batches of 32: the median of several.</summary>
    private static double ImagesPerSecond(nn.Module<Tensor, Tensor> network, Pictures pictures)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var batch = pictures.Batch([.. Enumerable.Range(0, 32).Select(i => i % pictures.Places.Count)]);
        var seconds = new double[9];
        for (var i = -3; i < seconds.Length; i++)
        {
            var clock = Stopwatch.StartNew();
            using var descriptors = network.call(batch).cpu();
            seconds[Math.Max(i, 0)] = clock.Elapsed.TotalSeconds;
        }

        Array.Sort(seconds);
        return 32 / seconds[seconds.Length / 2];
    }
}
