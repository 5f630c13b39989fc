using Stability.Measures;
using Stability.Model;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>Pooling or smooth filters: the paper's question.</summary>
internal static class CentralSection
{
    private const double Negligible = 0.05;   // a twentieth, in natural logarithms

    public static string Html(Metrics metrics) => Of(metrics).Html(CentralFigures.Html(metrics));

    public static Claim Of(Metrics metrics)
    {
        var smoothness = Central.Smoothness(metrics);
        return new Claim(
            "Pooling, or the smoothness of filters?",
            "The deformation stability of CNNs has nothing to do with pooling; the smoothness of filters is the key. … The traditional view is that pooling layers make CNNs stable to small translations and deformations. A DeepMind paper says that deformation stability is related to pooling only at initialization and no longer once training is done, and that the smoothness of filters is the key factor (arXiv 1804.04438).",
            [
                "CNN的变形稳定性和池化无关，滤波器平滑度才是关键。",
                "传统观点认为，CNN 中的池化层导致了对微小平移和变形的稳定性。Deepmind 论文中说：CNN 的变形稳定性仅在初始化时和池化相关，在训练完成后则无关；并指出，滤波器的平滑度才是决定变形稳定性的关键因素。",
            ],
            [
                AtInitialization(metrics), NoLonger(metrics), Closer(metrics),
                .. new[] { (Central.Poolings, "over poolings"), (Central.Within, "over the seeds of each pooling"), (Central.Starts, "over the starts of two poolings") }
                    .Select(networks => Rougher(metrics, smoothness, networks.Item1, networks.Item2)),
                SmoothStart(metrics, Central.Scores, "the scores"), SmoothStart(metrics, Central.LastPooling, "the last pooling"),
            ],
            $"{Alone(metrics)} {Control(metrics)}").In(metrics);
    }

    private static Part AtInitialization(Metrics metrics)
    {
        var (scores, pool) = Effects(metrics, trained: false);
        return new(
            $"Pooling matters at initialization: before training {Explained(scores, pool)}.",
            Claim.All([scores.IsTold, pool.IsTold]));
    }

    private static Part NoLonger(Metrics metrics)
    {
        var (scores, pool) = Effects(metrics, trained: true);
        var small = Told.All(new[] { scores, pool }.Select(effect => Estimate.Of(effect.Spread.Select(spread => Negligible - spread)).Chance));
        return new(
            $"It does not any more after training, taken as a log sensitivity that deviates by less than {Number(Negligible, 2)} over poolings: {Explained(scores, pool)}; the deviations are {Text(Estimate.Of(scores.Spread), 2)} and {Text(Estimate.Of(pool.Spread), 2)}.",
            small == true ? true : scores.IsTold == true || pool.IsTold == true ? false : null);
    }

    private static Part Closer(Metrics metrics)
    {
        var ((scores, pool), (trainedScores, trainedPool)) = (Effects(metrics, trained: false), Effects(metrics, trained: true));
        return new(
            $"Training brings the poolings together: over poolings, the log sensitivity deviates by {Text(Estimate.Of(trainedScores.Spread), 2)} instead of {Text(Estimate.Of(scores.Spread), 2)} at the scores, by {Text(Estimate.Of(trainedPool.Spread), 2)} instead of {Text(Estimate.Of(pool.Spread), 2)} behind the last pooling.",
            Told.All([Estimate.OfDifferences(scores.Spread, trainedScores.Spread).Chance, Estimate.OfDifferences(pool.Spread, trainedPool.Spread).Chance]));
    }

    private static Part Rougher(Metrics metrics, IEnumerable<SmoothnessEffect> smoothness, string networks, string name)
    {
        var effects = smoothness.Where(effect => effect.Networks == networks && effect.Trained).ToList();
        return new(
            $"Rougher filters are less stable, {name}: after training, total variation and log sensitivity to deformation correlate by {Series(effects.Select(effect => $"{Text(effect.Correlation)} at {effect.Layer}"))}.",
            metrics.Options.Seeds > 1 ? Told.All(effects.Select(effect => effect.Correlation.Chance)) : null);
    }

    private static Part SmoothStart(Metrics metrics, int layer, string name)
    {
        var pairs = Central.Started.Select(pooling => (Name: pooling.Name, White: Sensitivities(pooling, Start.White), Smooth: Sensitivities(pooling, Central.Smoothest))).ToList();
        return new(
            $"Smooth starts make {name} more stable: from filters under a Gaussian of {Number(Central.Smoothest.Sigma, 0)} pixels the trained sensitivity to deformation is "
            + $"{Series(pairs.Select(pair => $"{Text(Estimate.Of(pair.Smooth))} instead of {Text(Estimate.Of(pair.White))} with {pair.Name}"))}.",
            Told.All(pairs.Select(pair => Estimate.OfDifferences(pair.White, pair.Smooth).Chance)));

        List<double> Sensitivities(PoolingKind pooling, Start start) => [.. metrics.Of(pooling, start).Select(network => network.After.Sensitivity[Transform.Deformation][layer])];
    }

    /// <summary>Whether it is the network without pooling alone that differs.</summary>
    private static string Alone(Metrics metrics)
    {
        var (scores, pool) = Effects(metrics, trained: true, PoolingKind.Single);
        return $"Without the network of {PoolingKind.Single.Name}, after training {Explained(scores, pool)}.";
    }

    /// <summary>What interpolation alone does, which all changes but whole pixels share.</summary>
    private static string Control(Metrics metrics)
    {
        var shares = PoolingKind.All.Select(pooling => metrics.Of(pooling, Start.White))
            .Select(seeds => seeds.Average(network => network.After.Sensitivity[Transform.Control][Central.Scores]) / seeds.Average(network => network.After.Sensitivity[Transform.Deformation][Central.Scores])).ToList();
        return $"How much of it is interpolation: half a pixel there and back of the pictures that are interpolated, which moves nothing, changes the trained scores by {Percent(shares.Min())} to {Percent(shares.Max())} of what the deformation does. "
            + $"Over the poolings, the log sensitivity of the trained scores to deformation correlates by {Text(Central.WithDeformation(metrics, Transform.Control))} with that to this control, and by {Text(Central.WithDeformation(metrics, Transform.Translation))} with that to a translation by a pixel, which interpolates nothing.";
    }

    private static (PoolingEffect Scores, PoolingEffect Pool) Effects(Metrics metrics, bool trained, PoolingKind? except = null) => (
        Central.PoolingEffect(metrics, Transform.Deformation, Central.Scores, trained, except), Central.PoolingEffect(metrics, Transform.Deformation, Central.LastPooling, trained, except));

    private static string Explained(PoolingEffect scores, PoolingEffect pool) =>
        $"{Percent(scores.Explained)} of the variance of the log sensitivity to deformation lies between poolings at the scores (as much by chance: {Chance(scores.Chance)}) and {Percent(pool.Explained)} behind the last pooling ({Chance(pool.Chance)}), "
        + $"where the most sensitive is {Number(scores.Ratio, 1)} and {Number(pool.Ratio, 1)} times as sensitive as the least";
}
