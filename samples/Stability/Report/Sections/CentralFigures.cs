using Stability.Measures;
using Stability.Model;
using Stability.Report.Charts;
using Stability.Training;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>Charts and tables of pooling, stability and smooth filters.</summary>
internal static class CentralFigures
{
    public static string Html(Metrics metrics) =>
        LayerFigures.Html(metrics) + Effects(metrics, "scores", Central.Scores) + Effects(metrics, "last pooling", Central.LastPooling) + EffectsNote
        + Scatters(metrics) + Correlations(Central.Smoothness(metrics)) + Starts(metrics);

    private static string EffectsNote =>
        $"<p class=\"note\">Explained: share of the variance of the log sensitivity, over poolings and seeds of white start, that lies between poolings (η²). p: how often as much lies between them when poolings are exchanged at random within each seed ({Groups.Draws} times). "
        + "Most over least: the largest mean of a pooling over the smallest (geometric means over seeds). All kinds count, those without pooling too.</p>";

    private static string Effects(Metrics metrics, string name, int layer) => $"<h3>What pooling explains: {name}</h3>" + HtmlPage.Table(
        ["change", "explained before training", "p", "explained after", "p", "most over least before", "most over least after"],
        metrics.Transforms.Select(transform =>
        {
            var (before, after) = (Central.PoolingEffect(metrics, transform.Key, layer, trained: false), Central.PoolingEffect(metrics, transform.Key, layer, trained: true));
            return (string[])
            [
                HtmlPage.Encode(transform.Name), Percent(before.Explained), Number(before.Chance, 4), Percent(after.Explained), Number(after.Chance, 4),
                Number(before.Ratio, 2), Number(after.Ratio, 2),
            ];
        }));

    private static string Scatters(Metrics metrics) =>
        "<h3>Smoothness against stability</h3>" + Palette.Legend(PoolingKind.All.Select(pooling => pooling.Name)) + "<div class=\"row wrapped charts\">"
        + string.Concat(Enumerable.Range(0, Network.Widths.Count + 1).Select(block => ScatterChart.Svg(
            block == Network.Widths.Count ? "Scores, over the mean of all filters" : $"Convolution {block + 1}", "total variation of the filters", "log of the sensitivity to deformation",
            [
                .. from network in metrics.Networks
                   from trained in new[] { false, true }
                   let point = Central.Point(network, block, trained)
                   select new ScatterChart.Point(PoolingKind.All.ToList().IndexOf(network.Pooling), trained, point.X, point.Y),
            ])))
        + "</div><p class=\"note\">Every network once, all starts. Hollow: before training; filled: after it. Natural logarithms.</p>";

    private static string Correlations(IReadOnlyList<SmoothnessEffect> effects) => "<div style=\"font-size:13px\">" + HtmlPage.Table(
        ["networks", "", .. effects.Select(effect => effect.Layer).Distinct()],
        effects.GroupBy(effect => (effect.Networks, effect.Trained)).OrderBy(group => group.Key.Networks, StringComparer.Ordinal).ThenBy(group => group.Key.Trained)
            .Select(group => (string[])[HtmlPage.Encode(group.Key.Networks), group.Key.Trained ? "after training" : "before", .. group.Select(effect => Text(effect.Correlation))]))
        + "</div><p class=\"note\">Correlation of total variation with log sensitivity to deformation, and the probability of as large a one by chance (Student's t, each mean that was taken away counting as a pair less). Positive: rougher filters are less stable. "
        + "Over poolings: their means over seeds, from white starts; not before training, when their filters are the same. Over seeds: every network with white start, less the means of its pooling and of its seed. "
        + "Over starts: those of max pooling and of strided convolutions, means over seeds, less the mean of the pooling.</p>";

    private static string Starts(Metrics metrics) => "<h3>Smooth starts</h3><div style=\"font-size:13px\">" + HtmlPage.Table(
        [
            "network", "total variation, start", "total variation, trained", "scores' sensitivity, start", "scores' sensitivity, trained", "last pooling's, start", "last pooling's, trained",
            "accuracy",
        ],
        Comparison.Kinds.Where(kind => Central.Started.Contains(kind.Pooling)).OrderBy(kind => kind.Pooling.Name, StringComparer.Ordinal).ThenBy(kind => kind.Start.Sigma)
            .Select(kind => (Name: $"{kind.Pooling.Name}, {kind.Start.Name}", Seeds: metrics.Of(kind.Pooling, kind.Start))).Select(kind => (string[])
            [
                HtmlPage.Encode(kind.Name), .. new Func<TrainedNetwork, double>[]
                {
                    network => network.Before.Filters.TotalVariation, network => network.After.Filters.TotalVariation,
                    network => network.Before.Sensitivity[Transform.Deformation][Central.Scores], network => network.After.Sensitivity[Transform.Deformation][Central.Scores],
                    network => network.Before.Sensitivity[Transform.Deformation][Central.LastPooling], network => network.After.Sensitivity[Transform.Deformation][Central.LastPooling],
                    network => network.After.Accuracy,
                }.Select(value => Text(Estimate.Of(kind.Seeds.Select(value)))),
            ]))
        + "</div><p class=\"note\">Sensitivity to deformation. That smooth starts are tried is the paper's idea; their widths, the scaling to the usual size of weights, and that strided convolutions of the poolings start smooth as well, are the sample's.</p>";
}
