using System.Diagnostics;
using MultiScale.Data;
using MultiScale.Model;
using MultiScale.Report;
using MultiScale.Search;
using MultiScale.Training;
using Spectre.Console;
using TorchPooling;
using static TorchSharp.torch;

namespace MultiScale.Commands;

/// <summary>The whole job: trains the networks, compares them at several sizes, searches scenes, exports and reports.</summary>
/// <param name="epochDone">Called with the network's name and the number of its finished epochs.</param>
internal sealed class RunCommand(
    RunOptions options, string folder, string deviceName, Action<string, int>? epochDone, CancellationToken cancellation)
{
    public const int DrawnEpochs = 10;
    public const int FashionEpochs = 7;

    private const string ReportName = "report.html";
    private const string MetricsName = "metrics.json";
    private const string ModelName = "model.pt";
    private const int BatchSize = 128;
    private const double LearningRate = 0.01;
    private const double WeightDecay = 0.01;

    private static readonly int[] FashionSizes = [20, 24, 28, 32, 40];
    private static readonly int[] DrawnSizes = [20, 24, 28, 32, 40, 48, 64];

    private readonly Budget budget = new(options.Epochs, options.Quick ? 32 : BatchSize, LearningRate, WeightDecay, options.Seed);
    private readonly SearchBudget search = options.Quick ? new(Steps: 3, Scenes: 1, Height: 80, Width: 112, Objects: 3) : new(Steps: 1000, Scenes: 12);

    public void Run()
    {
        options.Check();
        var device = Devices.Use(deviceName, options.Threads);
        using var run = new RunFolder(folder, ReportName, MetricsName, ModelName);
        using var kept = new Disposables();
        var clock = Stopwatch.StartNew();
        var source = kept.Add(Open());
        var (results, spp) = Compare(source, kept, device);
        var (found, speed) = Search(source, kept, spp, device);
        AnsiConsole.Write(Summary.Table(results));
        var exports = Export.Save(spp, run.File(ModelName), source.Test, options, device);
        var metrics = new Metrics(options, budget, source, results, search, found, speed, exports, deviceName, get_num_threads(), clock.Elapsed.TotalSeconds);
        WholeFile.Write(run.File(MetricsName), metrics.Write);
        WholeFile.Write(run.File(ReportName), new ReportPage(metrics).Write);
        Console.WriteLine($"{run.File(ReportName)} shows it all; {run.File(ModelName)} is the network of several sizes as TorchScript.");
    }

    private Source Open()
    {
        if (options.Data is { } data)
        {
            return new FashionSource(data, options.TrainPictures, options.TestPictures, FashionSizes, options.Seed);
        }

        Source? source = null;
        Terminal.Track("drawing shapes", 1, (_, _) =>
            source = new DrawnSource(options.TrainPictures, options.TestPictures, options.TrainSizes, DrawnSizes, Method.OneSize, options.Seed));
        return source!;
    }

    /// <summary>What every method reached, and the network that the others are followed up with.</summary>
    private (List<MethodResult> Results, SppNet Spp) Compare(Source source, Disposables kept, Device device)
    {
        var results = new List<MethodResult>();
        SppNet? spp = null;
        var comparison = new Comparison(source, options, budget, device, epochDone, cancellation);
        Terminal.Track("training", Method.All.Count, (advance, say) =>
        {
            foreach (var method in Method.All)
            {
                var (network, result) = comparison.Run(method, advance, say);
                kept.Add(network);
                results.Add(result);
                spp = method.Name == Method.OfSeveralSizes ? (SppNet)network : spp;
            }
        });
        return (results, spp!);
    }

    private (List<SceneScore> Found, MapAgainstCrops Speed) Search(Source source, Disposables kept, SppNet spp, Device device)
    {
        var found = new List<SceneScore>();
        MapAgainstCrops? speed = null;
        Terminal.Track("object search", search.Steps + search.Scenes, (advance, say) =>
        {
            using var network = new SearchTraining(source, search, options.Seed, device, cancellation).Run(spp, advance, say);
            var finder = new ObjectSearch(network, search, device, cancellation);
            for (var number = 0; number < search.Scenes; number++)
            {
                cancellation.ThrowIfCancellationRequested();
                var scene = kept.Add(source.Scene(search.Height, search.Width, search.Objects, training: false, number));
                found.Add(SceneScore.Of(scene, finder.Find(scene)));
                advance(1);
            }

            speed = finder.Compare(found[0].Scene);
            say(FormattableString.Invariant($"one map {speed.MapSeconds:0.000} s, every crop {speed.CropSeconds:0.000} s: {speed.Ratio:0.0} times as long ({speed.Ratios[0]:0.0} to {speed.Ratios[^1]:0.0})"));
        });
        return (found, speed!);
    }

    /// <summary>What ends with the run, however that ends: pictures, networks, scenes.</summary>
    private sealed class Disposables : IDisposable
    {
        private readonly List<IDisposable> items = [];

        public T Add<T>(T item)
            where T : IDisposable
        {
            items.Add(item);
            return item;
        }

        public void Dispose() => items.ForEach(item => item.Dispose());
    }
}
