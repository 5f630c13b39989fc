using System.Globalization;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>The trials as one picture: panels above each other that share the axis of K.</summary>
internal static class ChooseKCharts
{
    private const int Width = 900;
    private const int PanelHeight = 200;
    private const int AxisHeight = 24;   // the title of K, under the last panel alone

    public static string Svg(KChoice choice)
    {
        var trials = choice.Trials;
        var recalls = trials[0].Training is null
            ? Recalls(choice, trial => trial.Untrained, "untrained", LineStyle.Dash, shift: 1)
            : [.. Recalls(choice, trial => trial.Untrained, "untrained", LineStyle.Dash, shift: 0.985), .. Recalls(choice, trial => trial.Training!.Trained, "trained", LineStyle.Solid, shift: 1.015)];
        PlotModel[] panels =
        [
            Panel(choice, "Quantization error of the start", Linear("mean ‖x − c‖²", double.NaN), [Line(trials, "to the nearest centre", 0, trial => trial.Start.QuantizationError)]),
            Panel(choice, "Clusters of the start", Linear("share", 1.05),
            [
                Line(trials, "used clusters", 0, trial => trial.Start.UsedClusters),
                Line(trials, "entropy / ln K", 1, trial => trial.Start.Entropy, LineStyle.Dash),
            ]),
            Panel(choice, "Recall on the validation split, ± one standard error", Linear("share found", 1.05), recalls),
            Panel(choice, "Size of a descriptor", Logarithmic("KiB"), [Line(trials, "float32", 0, trial => trial.Bytes / 1024.0)]),
            Panel(choice, "Time", Logarithmic("ms"),
            [
                Line(trials, "search in a million", 0, trial => 1000 * trial.SearchSeconds),
                Line(trials, "pooling a picture", 1, trial => 1000 * trial.PoolingSeconds),
            ]),
        ];
        panels[^1].Axes[0].Title = "K, number of clusters";
        var height = PanelHeight * panels.Length + AxisHeight;
        return $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{height}\" viewBox=\"0 0 {Width} {height}\">\n"
            + string.Concat(panels.Select((panel, i) => $"<g transform=\"translate(0,{i * PanelHeight})\">{Export(panel, i == panels.Length - 1)}</g>\n"))
            + "</svg>";
    }

    private static string Export(PlotModel panel, bool isLast) =>
        new SvgExporter { Width = Width, Height = PanelHeight + (isLast ? AxisHeight : 0), IsDocument = false }.ExportToString(panel);

    private static PlotModel Panel(KChoice choice, string title, Axis vertical, IEnumerable<Series> series)
    {
        var model = Charts.Model(title);
        var isLast = title == "Time";
        model.TitleFontSize = 13;
        model.PlotMargins = new(72, 4, 190, isLast ? 28 + AxisHeight : 28);
        var horizontal = Charts.Axis<LogarithmicAxis>(AxisPosition.Bottom, "", choice.Trials[0].Clusters / 1.3, choice.Trials[^1].Clusters * 1.3, 4);
        (horizontal.Base, horizontal.PowerPadding) = (2, false);
        model.Axes.Add(horizontal);
        model.Axes.Add(vertical);
        model.Legends.Add(new Legend
        {
            LegendPlacement = LegendPlacement.Outside,
            LegendPosition = LegendPosition.RightTop,
        });
        foreach (var line in series)
        {
            model.Series.Add(line);
        }

        return model;
    }

    private static LinearAxis Linear(string title, double top) => Charts.Axis<LinearAxis>(AxisPosition.Left, title, 0, top, 20);

    private static LogarithmicAxis Logarithmic(string title) => Charts.Axis<LogarithmicAxis>(AxisPosition.Left, title, double.NaN, double.NaN, 20);

    private static LineSeries Line(
        IEnumerable<ClusterTrial> trials, string title, int color, Func<ClusterTrial, double> value, LineStyle style = LineStyle.Solid, double shift = 1)
    {
        var line = new LineSeries
        {
            Title = title, Color = Charts.Colors[color], LineStyle = style, StrokeThickness = 2, MarkerType = MarkerType.Circle, MarkerSize = 3,
        };
        line.Points.AddRange(trials.Select(trial => new DataPoint(shift * trial.Clusters, value(trial))));
        return line;
    }

    /// <summary>Recall@1 and @5 with their errors, moved a little sideways so that the bars do not cover each other.</summary>
    private static List<Series> Recalls(KChoice choice, Func<ClusterTrial, double[]> curve, string name, LineStyle style, double shift)
    {
        var series = new List<Series>();
        foreach (var (n, color) in new[] { (5, 2), (1, 0) })
        {
            series.Add(Line(choice.Trials, string.Create(CultureInfo.InvariantCulture, $"{name} recall@{n}"), color, trial => Recall.At(curve(trial), n), style, shift));
            var bars = new ScatterErrorSeries { MarkerType = MarkerType.None, ErrorBarColor = Charts.Colors[color], ErrorBarStrokeThickness = 1.2, ErrorBarStopWidth = 4 };
            bars.Points.AddRange(choice.Trials.Select(trial => new ScatterErrorPoint(
                shift * trial.Clusters, Recall.At(curve(trial), n), 0, 2 * choice.Error(Recall.At(curve(trial), n)))));   // whole lengths
            series.Add(bars);
        }

        return series;
    }
}
