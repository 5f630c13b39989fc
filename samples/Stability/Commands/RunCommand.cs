using System.Diagnostics;
using Spectre.Console;
using Stability.Claims;
using Stability.Data;
using Stability.Measures;
using Stability.Model;
using Stability.Report;
using Stability.Training;
using static TorchSharp.torch;

namespace Stability.Commands;

/// <summary>The whole job: trains and measures the networks, puts the claims to the test, and reports.</summary>
internal sealed class RunCommand(RunOptions options, string folder, string deviceName, CancellationToken cancellation)
{
    public const int DrawnEpochs = 7;
    public const int FashionEpochs = 4;

    private const string ReportName = "report.html";
    private const string MetricsName = "metrics.json";

    public void Run()
    {
        options.Check();
        var device = Devices.Use(deviceName, options.Threads);
        using var run = new RunFolder(folder, ReportName, MetricsName);
        var clock = Stopwatch.StartNew();
        using var source = Open();
        var learner = new Learner(source, options, device, cancellation);
        using var laboratory = new Laboratory(source, learner, options.Quick, device, cancellation);
        using var results = new Results();
        Compare(source, laboratory, learner, device, results);
        var metrics = Measure(source, laboratory, learner, device, results, clock);
        using var report = new Disposables(metrics.Turned.Select(item => item.Weights));
        AnsiConsole.Write(Summary.Table(metrics));
        WholeFile.Write(run.File(MetricsName), metrics.Write);
        WholeFile.Write(run.File(ReportName), new ReportPage(metrics, laboratory.Images).Write);
        Console.WriteLine($"{run.File(ReportName)} shows it all.");
    }

    private Source Open()
    {
        var (train, test) = options.Quick ? (128, 128) : options.Data is null ? (5000, 2000) : (6000, 2000);
        Source? source = null;
        Terminal.Track(options.Data is null ? "drawing shapes" : "reading pictures", 1, (_, _) => source = Source.Open(options.Data, train, test));
        return source!;
    }

    private void Compare(Source source, Laboratory laboratory, Learner learner, Device device, Results results)
    {
        var comparison = new Comparison(source, laboratory, learner, device);
        Terminal.Track("training networks", Comparison.Kinds.Count * options.Seeds, (advance, say) =>
        {
            foreach (var (pooling, start) in Comparison.Kinds)
            {
                foreach (var seed in options.EachSeed)
                {
                    results.Add(comparison.Run(pooling, start, seed, advance));
                }

                say($"{TrainedNetwork.NameOf(pooling, start)}: {Summary.Line(results.Networks.TakeLast(options.Seeds))}");
            }
        });
    }

    private Metrics Measure(Source source, Laboratory laboratory, Learner learner, Device device, Results results, Stopwatch clock)
    {
        var (seeds, quick) = (options.EachSeed.ToList(), options.Quick);
        List<Retention>? retained = null;
        List<TurnedGlyphs>? turned = null;
        List<Heads>? heads = null;
        List<TextureAndBackground>? texture = null;
        List<Overlap>? overlaps = null;
        Terminal.Track("the notes' claims", 5, (advance, say) =>
        {
            retained = Retention.Measure([.. results.Kept.Select(kept => (Func<Tensor, Tensor>)kept.Network.FirstMap)], laboratory.Images, laboratory.Transforms);
            Done("translation, scale and rotation of one map");
            texture = TextureAndBackground.Measure([.. results.Kept.Select(kept => kept.Network)], laboratory.Images);
            Done("texture and background");
            overlaps = Overlap.Measure(source, quick ? 100 : 3000, quick);
            Done("overlapping windows");
            turned = TurnedGlyphs.Measure(seeds, quick, device, advance, cancellation);
            say("turned glyphs");
            heads = Heads.Measure(source, learner, results.Kept, device, advance);
            say("parameters");

            void Done(string what)
            {
                cancellation.ThrowIfCancellationRequested();
                advance(1);
                say(what);
            }
        });
        return new(
            options, learner.Budget(1), source, laboratory.Transforms, results.Networks, retained!, turned!, heads!, texture!, overlaps!, deviceName,
            clock.Elapsed.TotalSeconds);
    }

    /// <summary>What the comparison left, and the max-pooling networks, which the claims go on with.</summary>
    private sealed class Results : IDisposable
    {
        public List<TrainedNetwork> Networks { get; } = [];

        public List<(TrainedNetwork Result, Network Network)> Kept { get; } = [];

        public void Add((TrainedNetwork Result, Network Network) run)
        {
            Networks.Add(run.Result);
            if (run.Result.Pooling == PoolingKind.Max && run.Result.Start == Start.White)
            {
                Kept.Add(run);
            }
            else
            {
                run.Network.Dispose();
            }
        }

        public void Dispose()
        {
            Networks.ForEach(network => network.Dispose());
            Kept.ForEach(kept => kept.Network.Dispose());
        }
    }

    private sealed class Disposables(IEnumerable<IDisposable> items) : IDisposable
    {
        private readonly List<IDisposable> items = [.. items];

        public void Dispose() => items.ForEach(item => item.Dispose());
    }
}
