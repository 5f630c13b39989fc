using Stability.Measures;
using Stability.Model;
using Stability.Report.Charts;
using Stability.Training;

namespace Stability.Report.Sections;

/// <summary>Sensitivity layer by layer, before and after training, to every change.</summary>
internal static class LayerFigures
{
    public static string Html(Metrics metrics) =>
        Palette.Legend(PoolingKind.All.Select(pooling => pooling.Name))
        + string.Concat(metrics.Transforms.Select(transform => Folded(transform, Charts(metrics, transform))))
        + "<p class=\"note\">Mean over seeds, with one standard error. Filters start white. “Conv” is the convolution's own output, “pool” what closes the block.</p>"
        + Small(metrics);

    /// <summary>What the paper is about is open.</summary>
    private static string Folded(Transform transform, string charts) =>
        $"<details{(transform.Key == Transform.Deformation ? " open" : "")}><summary>Layer by layer: {HtmlPage.Encode(transform.Name)}</summary><div class=\"charts\">{charts}</div></details>\n";

    private static string Charts(Metrics metrics, Transform transform)
    {
        var names = Network.Layers.Select(layer => layer.Name).ToList();
        var (before, after) = (Lines(false), Lines(true));
        var top = Top(before.Concat(after));
        return LayerChart.Svg($"Sensitivity before training: {transform.Name}", "sensitivity", names, top, before) + LayerChart.Svg($"Sensitivity after training: {transform.Name}", "sensitivity", names, top, after);

        List<LayerChart.Line> Lines(bool trained) => [.. PoolingKind.All.Select((pooling, i) => new LayerChart.Line(i, !trained, Values(metrics.Of(pooling, Start.White), transform.Key, trained)))];
    }

    /// <summary>A chart for each pooling, before and after training.</summary>
    private static string Small(Metrics metrics)
    {
        string[] names = [.. Network.Layers.Select(layer => layer.Name switch { "pictures" => "in", "scores" => "out", var name => $"{name[0]}{name[^1]}".ToLowerInvariant() })];
        var charts = PoolingKind.All.Select((pooling, i) => (Pooling: pooling, Lines: Both(pooling, i))).ToList();
        var top = Top(charts.SelectMany(chart => chart.Lines));
        return "<h3>Deformation before (dashed) and after training, pooling by pooling</h3><div class=\"row wrapped\">"
            + string.Concat(charts.Select(chart => LayerChart.Svg(chart.Pooling.Name, "sensitivity", names, top, chart.Lines, 370, 270)))
            + "</div><p class=\"note\">c convolution, r ReLU, p pooling of blocks 1 to 3, in the pictures, out the scores.</p>";

        List<LayerChart.Line> Both(PoolingKind pooling, int color) =>
            [.. new[] { false, true }.Select(trained => new LayerChart.Line(color, !trained, Values(metrics.Of(pooling, Start.White), Transform.Deformation, trained)))];
    }

    private static double Top(IEnumerable<LayerChart.Line> lines) =>
        1.05 * lines.SelectMany(line => line.Values).Max(value => value.Mean + (double.IsNaN(value.Error) ? 0 : value.Error));

    private static List<Estimate> Values(IReadOnlyList<TrainedNetwork> seeds, string transform, bool trained) =>
        [.. Enumerable.Range(0, Network.Layers.Count).Select(layer => Estimate.Of(seeds.Select(network => network.At(trained).Sensitivity[transform][layer])))];
}
