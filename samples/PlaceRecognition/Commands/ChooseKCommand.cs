using System.Diagnostics;
using System.Globalization;
using PlaceRecognition.Model;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>How many clusters? Starts and trains the same network with each K, and measures what it gives and costs.</summary>
/// <param name="clusters">The compared K, ascending.</param>
/// <param name="epochDone">Called with <c>K = …</c> and the number of its finished epochs.</param>
internal sealed class ChooseKCommand(
    RunOptions options, int[] clusters, string folder, string deviceName, Action<string, int>? epochDone, CancellationToken cancellation)
{
    /// <summary>Passes for each K where none are asked for.</summary>
    public const int Epochs = 12;

    private const string PageName = "choose-k.html";
    private const string MetricsName = "choose-k.json";
    private const int SearchedNumbers = 1 << 24;   // 64 MiB: more than caches hold, as a real database is
    private const int SearchedAnswers = 10;

    private readonly TrainingOptions training = options.Training;

    private string Kind => training.Poolings[0];

    /// <summary>Reads <c>2,4,8</c>.</summary>
    public static int[] ParseClusters(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var clusters = Array.ConvertAll(parts, part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var k) ? k : 0);
        return clusters.All(k => k > 0) && clusters.Distinct().Count() == clusters.Length
            ? [.. clusters.Order()]
            : throw new UserException($"--clusters: expected different numbers from 1, for example 4,8,16, got '{text}'");
    }

    public void Run()
    {
        options.Check(fewestEpochs: 0);
        CheckPooling();
        var device = Devices.Find(deviceName);
        using var run = new RunFolder(folder, PageName, MetricsName);
        var places = PictureLoader.Find(options.Data, options.SkipUnreadable, options.Quick, options.HardQueries, ["train", "val"], cancellation);
        var neighborhood = new Neighborhood(places[0]);
        if (training.Epochs > 0)
        {
            TrainCommand.CheckTrainable(places[0], neighborhood, training);
        }

        var sets = PictureLoader.Load(places, options.ImageSize, device, cancellation);
        var trials = Starts(sets, device);
        if (training.Epochs > 0)
        {
            trials = Array.ConvertAll(trials, trial => trial with { Training = Train(trial.Clusters, sets, device, neighborhood) });
        }

        Finish(run, new(trials));
    }

    private void CheckPooling()
    {
        if (training.Poolings.Length != 1)
        {
            throw new UserException($"--pooling: expected one pooling, got {string.Join(',', training.Poolings)}");
        }

        var pooling = Pooling.Find(Kind);
        if (pooling.LooksTwice)
        {
            throw new UserException($"--pooling: expected a pooling that answers by one descriptor, {Kind} looks twice");
        }

        using var network = new PlaceNetwork(pooling, clusters[0], options.ImageSize);
        if (!network.StartsClusters)
        {
            throw new UserException($"--pooling: expected a pooling whose clusters k-means starts, {Kind} has none such");
        }
    }

    /// <summary>The starts of all K, before any training: a K that cannot be is noticed within seconds.</summary>
    private ClusterTrial[] Starts(LoadedSet[] sets, Device device)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var trials = new List<ClusterTrial>();
        Terminal.Track($"starts of {Kind} with K = {string.Join(", ", clusters)}", clusters.Length, (advance, _) =>
        {
            using var first = Network(clusters[0], device);
            var descriptors = ClusterStarts.Draw(first, sets[0].Database, training.Seed);   // every K has the same backbone
            foreach (var k in clusters)
            {
                cancellation.ThrowIfCancellationRequested();
                trials.Add(Start(k, descriptors, sets[1], device));
                advance(1);
            }
        });
        return [.. trials];
    }

    private ClusterTrial Start(int k, Tensor descriptors, LoadedSet val, Device device)
    {
        using var scope = NewDisposeScope();
        using var network = Network(k, device);
        var clock = Stopwatch.StartNew();
        var start = ClusterStarts.Initialize(network, descriptors, training with { Clusters = k });
        var startSeconds = clock.Elapsed.TotalSeconds;

        var map = network.Features(val.Queries.Batch([.. Enumerable.Range(0, Descriptors.BatchSize).Select(i => i % val.Places.Queries.Count)]));
        var poolingSeconds = Timing.Median(() =>
        {
            using var pooled = network.Pool(map).cpu();
        }) / Descriptors.BatchSize;
        var dimensions = (int)network.call(val.Queries.Batch([0])).size(1);
        var recall = val.Evaluate(network.call, cancellation);
        return new(
            k, start, startSeconds, dimensions, poolingSeconds, SearchSeconds(dimensions, device), [.. recall.Curve], recall.FirstRight);
    }

    /// <summary>One query among a million descriptors, scaled from as many as fill a fixed memory.</summary>
    private static double SearchSeconds(int dimensions, Device device)
    {
        using var scope = NewDisposeScope();
        var pictures = Math.Max(SearchedAnswers, SearchedNumbers / dimensions);
        var database = rand(pictures, dimensions, device: device);
        var query = rand(1, dimensions, device: device);
        return 1e6 / pictures * Timing.Median(() =>
        {
            using var step = NewDisposeScope();
            NearestNeighbors.Find(query, database, SearchedAnswers, innerProduct: true);
        });
    }

    private PoolingProgress Train(int k, LoadedSet[] sets, Device device, Neighborhood neighborhood)
    {
        var name = $"K = {k}";
        var checkpoint = new Checkpoint(null, "");
        var run = new PoolingRun(Kind, training with { Clusters = k }, options.ImageSize, device, neighborhood, checkpoint);
        Terminal.Track(name, training.Epochs, (advance, say) => run.Train(sets[0], sets[1], sets[1], advance, OnEpoch(say), cancellation));
        return checkpoint.Poolings[Kind];

        Action<PoolingProgress> OnEpoch(Action<string> say) => progress =>
        {
            say(TrainCommand.EpochLine(name, progress));
            epochDone?.Invoke(name, progress.Loss.Count);
        };
    }

    private PlaceNetwork Network(int k, Device device)
    {
        var network = PoolingRun.CreateNetwork(Pooling.Find(Kind), training with { Clusters = k }, options.ImageSize, device);
        network.eval();
        return network;
    }

    private void Finish(RunFolder run, KChoice choice)
    {
        ChooseKTables.Print(choice);
        Console.WriteLine(ChooseKFinding.Of(choice));
        var page = new ChooseKPage(options, choice, deviceName);
        WholeFile.Write(run.File(MetricsName), new ChooseKMetrics(options, choice, deviceName).Write);
        WholeFile.Write(run.File(PageName), page.Write);
        Console.WriteLine($"{run.File(PageName)} shows it all.");
    }
}
