using System.Globalization;
using MultiScale.Model;
using MultiScale.Search;
using MultiScale.Training;
using SkiaSharp;
using static TorchSharp.torch;

namespace MultiScale.Report;

/// <summary>The run as one self-contained HTML file.</summary>
internal sealed class ReportPage(Metrics metrics)
{
    private const int MistakesShown = 24;
    private const int ScenesShown = 4;
    private const int PictureScale = 3;

    private static readonly SKColor Frame = SKColor.Parse("#d1332e");

    private readonly RunOptions options = metrics.Options;
    private readonly IReadOnlyList<string> classes = metrics.Source.Train.Classes;

    public void Write(Stream stream) => HtmlPage.Write(stream, "One network, any image size", Body());

    private string Body() => string.Create(CultureInfo.InvariantCulture, $"""
        <h1>One network, any image size</h1>
        <p class="note">One VGG-style backbone ({string.Join(", ", Method.Blocks.Select(widths => string.Join("-", widths)))} channels, a map of a {Method.Stride}th of the picture's side), {Count(options.Epochs, "epoch")} of {metrics.Source.Train.Count} pictures
        for each network, batches of {metrics.Budget.BatchSize}, seed {options.Seed}. {HtmlPage.Encode(metrics.Source.Description)} The test has {metrics.Source.Test.Count} pictures that no training saw, at every size.
        “Flatten” takes {Method.OneSize}×{Method.OneSize} alone: it is given the others resized to that. The last network learns from {TrainedSizes}, {Drawn}; all others from {Method.OneSize}.
        Times are of {HtmlPage.Encode(metrics.Device)}, {Count(metrics.Threads, "thread")}; the whole run took {metrics.Seconds:0} s.{(options.Quick ? " A quick run shows that everything works; its figures say nothing of the networks." : "")}</p>
        {Table()}
        <p class="note">Behind the map: {string.Join("; ", metrics.Results.Select(result => $"{result.Method.Name}: {result.Method.Description}"))}. Share of right answers at each size in pixels. ± is the largest standard error, √(r(1 − r)/n), of the row. Bold: the best at {Method.OneSize}, which need not be clearly the best. Time: a picture of {Method.OneSize} pixels, in batches.</p>
        <p>{HtmlPage.Encode(Finding.Of(metrics))}</p>
        {LineChart.Legend(metrics.Results.Select(result => result.Method.Name))}
        <div class="charts">{AccuracyChart()}{LossChart()}</div>
        {LineChart.Legend(["several sizes less one size"])}
        <div class="charts">{DifferenceChart()}</div>
        <h2>The same picture at every size</h2>
        <div class="row">{Ladder()}</div>
        <h2>Mistakes of “{Method.OfSeveralSizes}” at {Method.OneSize} pixels</h2>
        {Mistakes()}
        <h2>Search for objects over one map</h2>
        {SearchPart()}
        <h2>Exported: model.pt</h2>
        <p class="note">The file that was written, loaded again, against the network that wrote it: largest difference of the scores of whole pictures, and of boxes of them.</p>
        {HtmlPage.Table(["picture, H×W", "of pictures", "of boxes"], metrics.Exports.Select(check => new[] { $"{check.Height}×{check.Width}", Small(check.Difference), Small(check.BoxDifference) }))}
        """);

    /// <summary>Those that came up, and of those that were asked for the others.</summary>
    private string TrainedSizes
    {
        get
        {
            var trained = metrics.Result(Method.OfSeveralSizes).TrainedSizes;
            var missing = options.TrainSizes.Where(size => !trained.ContainsKey(size)).Order().ToList();
            return $"{string.Join(", ", trained.Keys)} pixels" + (missing.Count > 0 ? $" ({string.Join(", ", missing)} never came up)" : "");
        }
    }

    private string Drawn => options.Draw switch
    {
        SizeDraw.Epoch => "one after the other, an epoch each",
        SizeDraw.Batch => "drawn for every batch",
        _ => "drawn for every picture, a batch running through the network size by size",
    };

    private string Table()
    {
        var best = metrics.Results.Max(result => result.BySize[Method.OneSize].Accuracy);
        return HtmlPage.Table(
            ["network", "parameters", .. metrics.Sizes.Select(size => $"{size}"), "±", "training, s", "ms a picture"],
            metrics.Results.Select(result => (string[])
            [
                result.Method.Name, Number(result.Parameters), .. metrics.Sizes.Select(size => Share(result.BySize[size].Accuracy)),
                Share(result.BySize.Values.Max(test => test.Error)), Invariant($"{result.Curve.Seconds:0}"), Invariant($"{result.Milliseconds:0.000}"),
            ]),
            row => metrics.Results[row].BySize[Method.OneSize].Accuracy >= best);
    }

    private string AccuracyChart() => LineChart.Svg(
        "Right answers at each size, with one standard error", "pixels a side", "share of right answers", LineChart.Free,
        [.. metrics.Results.Select(result => new LineChart.Line(
            result.Method.Name, [.. metrics.Sizes.Select(size => ((double)size, result.BySize[size].Accuracy, result.BySize[size].Error))]))]);

    private string LossChart() => LineChart.Svg(
        "Training loss", "epoch", "mean cross entropy", (0, double.NaN),
        [.. metrics.Results.Select(result => new LineChart.Line(result.Method.Name, [.. result.Curve.Loss.Select((loss, i) => (i + 1.0, loss, 0.0))]))]);

    private string DifferenceChart() => LineChart.Svg(
        "Several sizes less one size, with one standard error (paired)", "pixels a side", "points", LineChart.Free,
        [new("difference", [.. Finding.Differences(metrics).Select(item => ((double)item.Size, 100 * item.Difference, 100 * item.Error))])]);

    private string Ladder() => string.Concat(metrics.Sizes.Select(size =>
    {
        using var scope = NewDisposeScope();
        using var bitmap = Pixels.Grey(metrics.Source.Test.Images(zeros(1, ScalarType.Int64), size), PictureScale);
        return HtmlPage.Figure(Pixels.Html(bitmap, $"{size} pixels"), $"{size}");
    }));

    private string Mistakes()
    {
        var test = metrics.Result(Method.OfSeveralSizes).BySize[Method.OneSize];
        var labels = metrics.Source.Test.Labels.data<long>().ToArray();
        var wrong = Enumerable.Range(0, labels.Length).Where(i => !test.Correct[i]).ToList();
        var shown = Enumerable.Range(0, Math.Min(MistakesShown, wrong.Count)).Select(i => wrong[i * wrong.Count / Math.Min(MistakesShown, wrong.Count)]);
        return $"<p class=\"note\">{Math.Min(MistakesShown, wrong.Count)} of {wrong.Count}, at even steps through the test. Below each: what it is → what the network says, and how sure it is.</p>\n<div class=\"row wrapped\">"
            + string.Concat(shown.Select(i =>
            {
                using var scope = NewDisposeScope();
                using var bitmap = Pixels.Grey(metrics.Source.Test.Images(tensor(new long[] { i }), Method.OneSize), PictureScale);
                using var framed = Pixels.Frame(bitmap, Frame, 2);
                var (truth, said) = (classes[(int)labels[i]], classes[(int)test.Labels[i]]);
                return HtmlPage.Figure(Pixels.Html(framed, truth), Invariant($"{truth} →<br>{said} {100 * test.Confidence[i]:0} %"));
            })) + "</div>";
    }

    private string SearchPart()
    {
        var quality = metrics.Quality();
        var speed = metrics.Speed;
        return Invariant($"""
            <p>In {Count(metrics.Found.Count, "scene")} of {metrics.Search.Height}×{metrics.Search.Width} pixels with {quality.Objects} objects the search found {quality.Found}, of which {quality.Right} are right:
            precision {quality.Precision:0.000} ± {quality.PrecisionError:0.000}, recall {quality.Recall:0.000} ± {quality.RecallError:0.000}.</p>
            <p class="note">The network of several sizes learned a class more, the ground, from boxes of {metrics.Search.TrainSide}×{metrics.Search.TrainSide} scenes ({Count(metrics.Search.Steps, "step")} of {metrics.Search.ScenesPerStep} scenes).
            Squares of {string.Join(", ", SearchBudget.BoxSizes)} pixels slide over a scene in steps of {Method.Stride}, {speed.Boxes} boxes; of those that overlap the surest stays, if its probability is at least {Metrics.Threshold:0.0}.
            Right: the object's class, and an overlap (intersection over union) of at least a half; each object once.</p>
            <p>One map for all boxes of a scene takes {speed.MapSeconds:0.000} s, a run of the network for every crop {speed.CropSeconds:0.000} s (batches of crops of one size): {speed.Ratio:0.0} times as long ({speed.Ratios[0]:0.0} to {speed.Ratios[^1]:0.0}; medians and range of {speed.Ratios.Count} rounds in turn).</p>
            <p class="note">{SameAnswers(speed.Agreement)} The probabilities differ by {speed.Agreement.MeanDifference:0.000} on average. A crop ends at its border, where convolutions see zeros, a box of the map sees
            what lies around it, as it did when it learned: the whole scene, of which nothing is cut, has the same scores as a box and as a picture, up to {Small(speed.WholeDifference)}.</p>
            {LineChart.Legend(["all scenes"])}
            <div class="charts">{PrecisionChart()}</div>
            <p class="note">The first {Count(Math.Min(ScenesShown, metrics.Found.Count), "scene")}. Green: right, with its probability in percent. Red: wrong. Yellow: an object that was missed, or found in another class.</p>
            {string.Concat(metrics.Found.Take(ScenesShown).Select(SceneFigure))}
            """);
    }

    private static string SameAnswers(Agreement agreement) => agreement.SameObjects is { } same
        ? Invariant($"Of the {agreement.ObjectBoxes} boxes to which either gives an object both give the same class to {100 * same:0.0} %; of all boxes, most of them ground, to {100 * agreement.Same:0.0} %.")
        : "Neither gives an object to any box.";

    private string PrecisionChart() => LineChart.Svg(
        "Precision over recall, as the threshold falls from 0.95 to 0.05", "recall", "precision", (0, 1),
        [new("all scenes", [.. Enumerable.Range(1, 19).Reverse().Select(i => metrics.Quality(0.05 * i)).Where(quality => quality.Found > 0)
            .Select(quality => (quality.Recall, quality.Precision, 0.0))])], (0, 1));

    private string SceneFigure(SceneScore scene, int number)
    {
        using var bitmap = ScenePicture.Draw(scene, classes, Metrics.Threshold);
        return HtmlPage.Figure(Pixels.Html(bitmap, $"scene {number + 1}"), $"scene {number + 1}");
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static string Share(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Small(double value) => value == 0 ? "0" : value.ToString("0.0e+0", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
