using System.Globalization;
using Spectre.Console;
using Stability.Measures;
using Stability.Training;

namespace Stability.Report;

/// <summary>The comparison on the terminal.</summary>
internal static class Summary
{
    /// <summary>Of the seeds of one kind.</summary>
    public static string Line(IEnumerable<TrainedNetwork> seeds)
    {
        var all = seeds.ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"accuracy {all.Average(network => network.After.Accuracy):0.000}, sensitivity of the scores to deformation {Scores(all, false).Mean:0.000} before and {Scores(all, true).Mean:0.000} after training, {all.Sum(network => network.Curve.Seconds):0.0} s");
    }

    public static Table Table(Metrics metrics)
    {
        var table = new Table().Title("Sensitivity of the scores to deformation (0: none, 1: as to another picture)")
            .AddColumns("network", "accuracy", "before training", "after", "total variation, trained");
        foreach (var (pooling, start) in Comparison.Kinds)
        {
            var seeds = metrics.Of(pooling, start);
            table.AddRow(
                TrainedNetwork.NameOf(pooling, start), Format.Text(Estimate.Of(seeds.Select(network => network.After.Accuracy))), Format.Text(Scores(seeds, false)), Format.Text(Scores(seeds, true)),
                Format.Text(Estimate.Of(seeds.Select(network => network.After.Filters.TotalVariation))));
        }

        return table;
    }

    private static Estimate Scores(IEnumerable<TrainedNetwork> seeds, bool trained) =>
        Estimate.Of(seeds.Select(network => network.At(trained).Sensitivity[Transform.Deformation][^1]));
}
