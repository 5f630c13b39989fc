using Stability.Claims;
using Stability.Measures;
using Stability.Model;
using Stability.Report;
using Stability.Training;

namespace TorchPooling.Tests.Samples;

/// <summary>Metrics of the laboratory as a test would have them.</summary>
internal static class MadeUpMetrics
{
    /// <summary>A network at a moment.</summary>
    internal sealed record Moment(PoolingKind Pooling, Start Start, int Seed, bool Trained)
    {
        /// <summary>The pooling's number.</summary>
        public int Number => PoolingKind.All.ToList().IndexOf(Pooling);
    }

    /// <summary>A little of either sign that differs from seed to seed, and from number to number.</summary>
    public static double Noise(int seed, int number = 0) => 0.01 * Math.Sin((12.9898 * seed) + (78.233 * number));

    public static Metrics Of(int seeds = 3, bool quick = false) =>
        new(new(null, quick, 1, seeds, 0), new(1, 1, 0.1, 0, 1), null!, [], [], [], [], [], [], [], "cpu", 0);

    /// <summary>Sensitivity of a network to a change at a layer, and total variation of its filters.</summary>
    public static Metrics WithNetworks(this Metrics metrics, Func<Moment, string, int, double> sensitivity, Func<Moment, double> variation)
    {
        return metrics with
        {
            Networks =
            [
                .. from kind in Comparison.Kinds
                   from seed in metrics.Options.EachSeed
                   select new TrainedNetwork(kind.Pooling, kind.Start, seed, 1, Snapshot(new(kind.Pooling, kind.Start, seed, false)), Snapshot(new(kind.Pooling, kind.Start, seed, true)), new([], 0), null!, null!),
            ],
        };

        Snapshot Snapshot(Moment moment)
        {
            var smoothness = new Smoothness(variation(moment), 1, 0);
            return new(
                Transform.Keys.ToDictionary(key => key, key => Enumerable.Range(0, Network.Layers.Count).Select(layer => sensitivity(moment, key, layer)).ToArray()),
                [smoothness, smoothness, smoothness], smoothness, 0, 0);
        }
    }

    /// <summary>Of a pooling, at a window, of a seed: what is kept, and the change.</summary>
    public static Metrics WithRetained(this Metrics metrics, Func<string, int, int, (double Kept, double Change)> measure) => metrics with
    {
        Retained =
        [
            .. from change in Retention.Transforms
               from pooling in Retention.Poolings
               from window in Retention.Windows
               let seeds = metrics.Options.EachSeed.Select(seed => measure(pooling.Name, window, seed)).ToList()
               select new Retention(change, pooling.Name, window, [.. seeds.Select(seed => seed.Kept)], [.. seeds.Select(seed => seed.Change)]),
        ],
    };

    /// <summary>Of a bank of filters and a seed: shares found by each and the maximum, the same at the worst angle, and the number of the
    /// angle that each filter answers most to.</summary>
    public static Metrics WithTurned(this Metrics metrics, Func<FilterBank, int, (double[] Found, double[] Worst, int[] Preferred)> measure) => metrics with
    {
        Turned =
        [
            .. from bank in FilterBank.All
               from seed in metrics.Options.EachSeed
               let one = measure(bank, seed)
               select new TurnedGlyphs(
                   bank, seed, 1, 1, [.. one.Preferred.Append(0).Select(best => Enumerable.Range(0, bank.Angles.Count).Select(i => i == best ? 1.0 : 0).ToArray())], one.Found, one.Worst,
                   [.. Enumerable.Repeat(1.0 / bank.Filters, bank.Filters)], null!),
        ],
    };
}
