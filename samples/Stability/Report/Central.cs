using Stability.Measures;
using Stability.Model;
using Stability.Training;

namespace Stability.Report;

/// <summary>What pooling has to do with the sensitivity of a layer, over networks that start white.</summary>
/// <param name="Explained">Share of the variance of the log sensitivity that lies between poolings.</param>
/// <param name="Chance">Probability of as much if poolings did not matter.</param>
/// <param name="Ratio">Sensitivity of the most sensitive pooling over that of the least, geometric means over the seeds.</param>
/// <param name="Spread">Standard deviation of the log sensitivity over the poolings, seed by seed.</param>
internal sealed record PoolingEffect(double Explained, double Chance, double Ratio, IReadOnlyList<double> Spread)
{
    private const double Unlikely = 0.05;

    /// <summary>True where chance does not explain it; else null: that none is seen does not show that there is none.</summary>
    public bool? IsTold => Chance <= Unlikely ? true : null;
}

/// <summary>How a block's filters, or all of them, and the sensitivity behind them go together.</summary>
/// <param name="Layer">Where the sensitivity is measured.</param>
/// <param name="Networks">Which are compared.</param>
internal sealed record SmoothnessEffect(string Layer, string Networks, bool Trained, Correlation Correlation);

/// <summary>The paper's question: does pooling or the smoothness of filters decide the stability against deformations?</summary>
internal static class Central
{
    public const string Poolings = "over poolings";
    public const string Within = "over seeds";
    public const string Starts = "over starts";

    /// <summary>The scores, and the last pooling, in <see cref="Network.Layers"/>.</summary>
    public static int Scores => Network.Layers.Count - 1;

    public static int LastPooling => Network.Layers.Count - 2;

    /// <summary>The smoothest start.</summary>
    public static Start Smoothest => new(Comparison.Sigmas.Max());

    /// <summary>The poolings that are tried with smooth starts.</summary>
    public static IReadOnlyList<PoolingKind> Started { get; } = [PoolingKind.Max, PoolingKind.Strided];

    /// <param name="except">A pooling that does not count.</param>
    public static PoolingEffect PoolingEffect(Metrics metrics, string transform, int layer, bool trained, PoolingKind? except = null)
    {
        var members = White(metrics).Where(network => network.Pooling != except).Select(network => new Member(network.Pooling.Name, network.Seed, Log(network, transform, layer, trained))).ToList();
        var means = members.GroupBy(member => member.Group).Select(group => group.Average(member => member.Value)).ToList();
        return new(
            Groups.Explained(members), Groups.Chance(members), Math.Exp(means.Max() - means.Min()),
            [.. members.GroupBy(member => member.Seed).OrderBy(seed => seed.Key).Select(seed => Deviation([.. seed.Select(member => member.Value)]))]);
    }

    /// <summary>Total variation against the log sensitivity to deformation: each convolution's against its own output, and the mean of
    /// all against the scores. Of the poolings after training alone: before it their filters are the same.</summary>
    public static List<SmoothnessEffect> Smoothness(Metrics metrics)
    {
        var found = new List<SmoothnessEffect>();
        for (var block = 0; block <= Network.Widths.Count; block++)
        {
            var name = block == Network.Widths.Count ? Network.Layers[Scores].Name : Network.Layers[LayerOf(block)].Name;
            var white = White(metrics).Select(network => Members(network, block)).ToList();
            found.Add(new(name, Poolings, true, Correlation.Of([.. Means(metrics, PoolingKind.All.Select(pooling => (pooling, Start.White)), block, true)])));
            found.Add(new(name, Within, true, Correlation.Of(Groups.Centred(white), white.Select(pair => pair.X.Group).Distinct().Count() + metrics.Options.Seeds - 2)));
            found.AddRange(new[] { false, true }.Select(trained => new SmoothnessEffect(name, Starts, trained, Correlation.Of(OfStarts(metrics, block, trained), Started.Count - 1))));
        }

        return found;

        (Member X, Member Y) Members(TrainedNetwork network, int block) => Pair(network.Pooling, network.Seed, Point(network, block, trained: true));
    }

    /// <summary>How the poolings' log sensitivities of the trained scores to deformation go with those to another change.</summary>
    public static Correlation WithDeformation(Metrics metrics, string transform) => Correlation.Of(
    [
        .. White(metrics).GroupBy(network => network.Pooling).Select(seeds => (
            seeds.Average(network => Log(network, Transform.Deformation, Scores, trained: true)), seeds.Average(network => Log(network, transform, Scores, trained: true)))),
    ]);

    /// <summary>One network: its filters' total variation, and the log sensitivity behind them.</summary>
    /// <param name="block">The convolution; their number for all of them and the scores.</param>
    public static (double X, double Y) Point(TrainedNetwork network, int block, bool trained)
    {
        var snapshot = network.At(trained);
        return block == Network.Widths.Count
            ? (snapshot.Filters.TotalVariation, Log(network, Transform.Deformation, Scores, trained))
            : (snapshot.Blocks[block].TotalVariation, Log(network, Transform.Deformation, LayerOf(block), trained));
    }

    /// <summary>Where a block's convolution stands in <see cref="Network.Layers"/>.</summary>
    public static int LayerOf(int block) => 1 + (3 * block);

    private static IEnumerable<TrainedNetwork> White(Metrics metrics) => metrics.Networks.Where(network => network.Start == Start.White);

    private static double Log(TrainedNetwork network, string transform, int layer, bool trained) => Math.Log(network.At(trained).Sensitivity[transform][layer]);

    /// <summary>A point for each kind of network.</summary>
    private static List<(double X, double Y)> Means(Metrics metrics, IEnumerable<(PoolingKind Pooling, Start Start)> kinds, int block, bool trained) =>
    [
        .. kinds.Select(kind => metrics.Of(kind.Pooling, kind.Start).Select(network => Point(network, block, trained)).ToList())
            .Select(seeds => (seeds.Average(point => point.X), seeds.Average(point => point.Y))),
    ];

    /// <summary>A point for each start, less the mean of its pooling.</summary>
    private static List<(double X, double Y)> OfStarts(Metrics metrics, int block, bool trained) => Groups.Centred(
    [
        .. from pooling in Started
           from point in Means(metrics, Comparison.Kinds.Where(kind => kind.Pooling == pooling), block, trained)
           select Pair(pooling, 0, point),
    ]);

    private static (Member X, Member Y) Pair(PoolingKind pooling, int seed, (double X, double Y) point) => (new(pooling.Name, seed, point.X), new(pooling.Name, seed, point.Y));

    private static double Deviation(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => Math.Pow(value - mean, 2)) / (values.Count - 1));
    }
}
