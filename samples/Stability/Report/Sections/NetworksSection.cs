using SkiaSharp;
using Stability.Measures;
using Stability.Model;
using Stability.Training;
using static Stability.Report.Format;
using static TorchSharp.torch;

namespace Stability.Report.Sections;

/// <summary>The networks in tables, the pictures and what is done to them, and the filters.</summary>
internal static class NetworksSection
{
    private const int PictureScale = 5;
    private const int FilterScale = 12;

    public static string Tables(Metrics metrics)
    {
        var rows = Comparison.Kinds.Select(kind => metrics.Of(kind.Pooling, kind.Start)).ToList();
        return HtmlPage.Table(["pooling", ""], PoolingKind.All.Select(pooling => new[] { pooling.Name, Left(pooling.Description) }))
            + "<h2>The networks</h2>"
            + Table(
                rows, ["parameters", "accuracy", "same answer when shifted, before training", "after training", "training, s"],
                [
                    seeds => Count(seeds[0].Parameters), seeds => Over(seeds, network => network.After.Accuracy), seeds => Over(seeds, network => network.Before.ShiftConsistency),
                    seeds => Over(seeds, network => network.After.ShiftConsistency), seeds => Over(seeds, network => network.Curve.Seconds, 1),
                ])
            + $"<p class=\"note\">Mean and one standard error over the seeds. Same answer when shifted: two crops of a picture that begin at 0 to {Laboratory.MostShift} pixels, down and across (share of all pairs). "
            + "Start: all weights drawn by themselves (white), or, where it says smooth, put under a Gaussian of that many pixels.</p>"
            + "<h2>The filters</h2>"
            + Table(
                rows, ["total variation, start", "trained", "against shuffled filters, start", "trained", "share of low frequencies, start", "trained"],
                [
                    .. new Func<Smoothness, double>[] { filters => filters.TotalVariation, filters => filters.Ratio, filters => filters.LowFrequencyShare }
                        .SelectMany(_ => new[] { false, true }, (value, trained) => (Func<IReadOnlyList<TrainedNetwork>, string>)(seeds => Over(seeds, network => value(network.At(trained).Filters)))),
                ])
            + "<p class=\"note\">Mean of all convolutions. Total variation over the sum of absolute weights: smaller is smoother. Against shuffled filters: over what the same weights have in random order, 1 for white noise. "
            + "Share of low frequencies: of the energy, up to a quarter of a cycle a pixel; of 3×3 filters that is their mean.</p>"
            + Scores(metrics, rows, trained: false) + Scores(metrics, rows, trained: true)
            + "<p class=\"note\">0 where the change moves nothing, 1 where it moves as far as to another picture. “Interpolation alone”: half a pixel there and back of the pictures that are interpolated, which moves nothing.</p>";
    }

    public static string Pictures(Metrics metrics, Tensor images)
    {
        using var scope = NewDisposeScope();
        var shown = new (string Name, Tensor Images)[] { ("as it is", images) }.Concat(metrics.Transforms.Select(transform => (transform.Name, Images: transform.Images))).ToList();
        return string.Concat(Enumerable.Range(0, 2).Select(number =>
            "<div class=\"row wrapped\">" + string.Concat(shown.Select(item => TurnedSection.Picture(item.Images[number], PictureScale, item.Name))) + "</div>"));
    }

    public static string Filters(Metrics metrics)
    {
        var kinds = new[] { (PoolingKind.Max, Start.White), (PoolingKind.Max, Central.Smoothest), (PoolingKind.Strided, Start.White) };
        return "<p class=\"note\">The filters of the first convolution before (above) and after training, seed 1; white positive, black negative.</p>"
            + string.Concat(kinds.Select(kind => metrics.Of(kind.Item1, kind.Item2)[0]).Select(network =>
                $"<p>{HtmlPage.Encode(network.Name)}</p><div class=\"row wrapped\">{Bank(network.FiltersBefore, "before")}</div><div class=\"row wrapped\">{Bank(network.FiltersAfter, "after")}</div>"));
    }

    private static string Scores(Metrics metrics, IReadOnlyList<IReadOnlyList<TrainedNetwork>> rows, bool trained) =>
        $"<h2>Sensitivity of the scores {(trained ? "after" : "before")} training</h2>"
        + Table(
            rows, metrics.Transforms.Select(transform => HtmlPage.Encode(transform.Name)),
            [.. metrics.Transforms.Select(transform => (Func<IReadOnlyList<TrainedNetwork>, string>)(seeds => Over(seeds, network => network.At(trained).Sensitivity[transform.Key][Central.Scores])))]);

    /// <param name="columns">From the seeds of one kind to a cell.</param>
    private static string Table(IReadOnlyList<IReadOnlyList<TrainedNetwork>> rows, IEnumerable<string> heads, IReadOnlyList<Func<IReadOnlyList<TrainedNetwork>, string>> columns) =>
        "<div style=\"font-size:13px\">" + HtmlPage.Table(
            ["network", .. heads], rows.Select(seeds => columns.Select(column => column(seeds)).Prepend(HtmlPage.Encode(seeds[0].Name)))) + "</div>";

    private static string Bank(Tensor filters, string when)
    {
        using var scope = NewDisposeScope();
        return string.Concat(Enumerable.Range(0, (int)filters.size(0)).Select(i =>
        {
            using var bitmap = Pixels.Grey(TurnedSection.Signed(filters[i]), FilterScale);
            using var framed = Pixels.Frame(bitmap, SKColors.LightGray, 1);
            return HtmlPage.Figure(Pixels.Html(framed, $"filter {i + 1} {when} training"), "");
        }));
    }

    private static string Over(IEnumerable<TrainedNetwork> seeds, Func<TrainedNetwork, double> value, int digits = 3) => Text(Estimate.Of(seeds.Select(value)), digits);
}
