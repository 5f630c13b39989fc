using System.Globalization;
using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>The trials as one picture: panels above each other that share the axis of K.</summary>
internal static class ChooseKCharts
{
    private const int Width = 900;
    private const int PanelHeight = 200;
    private const int AxisHeight = 26;   // the title of K, under the last panel alone
    private const int LegendWidth = 190;

    public static string Svg(KChoice choice)
    {
        PlotModel[] panels =
        [
            Panel(choice, "Quantization error of the start", Linear("mean ‖x − c‖²", double.NaN),
                [Line(choice, "nearest centre", 0, trial => trial.Start.QuantizationError)]),
            Panel(choice, "Clusters of the start", Linear("share", 1.05),
            [
                Line(choice, "used clusters", 0, trial => trial.Start.UsedClusters),
                Line(choice, "entropy / ln K", 1, trial => trial.Start.Entropy, LineStyle.Dash),
            ]),
            Panel(choice, "Recall on the validation split, ± one standard error of each alone", Linear("share found", RecallTop(choice)), Recalls(choice)),
            Panel(choice, "Size of a descriptor", Logarithmic("KiB", 2), [Line(choice, "float32", 0, trial => trial.Bytes / 1024.0)]),
            Panel(choice, "Time", Logarithmic("ms", 10),
            [
                Line(choice, "search in a million", 0, trial => 1000 * trial.SearchSeconds),
                Line(choice, "pooling a picture", 1, trial => 1000 * trial.PoolingSeconds),
            ]),
        ];
        panels[^1].Axes[0].Title = "K, number of clusters";
        panels[^1].PlotMargins = Margins(AxisHeight);
        var height = PanelHeight * panels.Length + AxisHeight;
        var svg = new StringBuilder().Append(
            CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{height}\" viewBox=\"0 0 {Width} {height}\">\n");
        for (var i = 0; i < panels.Length; i++)
        {
            var panelHeight = i == panels.Length - 1 ? PanelHeight + AxisHeight : PanelHeight;
            var chart = new SvgExporter { Width = Width, Height = panelHeight, IsDocument = false }.ExportToString(panels[i]);
            svg.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate(0,{i * PanelHeight})\">{chart}{Legend(panels[i])}</g>\n");
        }

        return svg.Append("</svg>").ToString();
    }

    private static PlotModel Panel(KChoice choice, string title, Axis vertical, IEnumerable<Series> series)
    {
        var model = Chart.Model(title);
        model.TitleFontSize = 13;
        model.PlotMargins = Margins(0);
        var horizontal = Chart.Axis<LinearAxis>(AxisPosition.Bottom, "", Position(choice.Trials[0]) - 0.5, Position(choice.Trials[^1]) + 0.5, 6);
        horizontal.MajorStep = 1;
        horizontal.LabelFormatter = log => Math.Pow(2, log).ToString("0", CultureInfo.InvariantCulture);
        model.Axes.Add(horizontal);
        model.Axes.Add(vertical);
        foreach (var line in series)
        {
            model.Series.Add(line);
        }

        return model;
    }

    private static OxyThickness Margins(int more) => new(72, 4, LegendWidth, 28 + more);

    /// <summary>Names the lines of a panel in its right margin: OxyPlot's own legends there take their width from the plot.</summary>
    private static string Legend(PlotModel panel) => string.Concat(panel.Series.OfType<LineSeries>().Select((line, i) =>
    {
        var (x, y) = (Width - LegendWidth + 14, 44 + 20 * i);
        var dash = line.LineStyle == LineStyle.Dash ? " stroke-dasharray=\"6 3\"" : "";
        return string.Create(CultureInfo.InvariantCulture, $"""
            <path d="M{x} {y}h28" stroke="{Chart.Css(line.Color)}" stroke-width="2"{dash}/><text x="{x + 36}" y="{y + 4}" font-family="sans-serif" font-size="12">{line.Title}</text>
            """);
    }));

    private static LinearAxis Linear(string title, double top)
    {
        var axis = Chart.Axis<LinearAxis>(AxisPosition.Left, title, 0, top, 20);
        axis.MaximumPadding = 0.1;
        return axis;
    }

    private static LogarithmicAxis Logarithmic(string title, double powers)
    {
        var axis = Chart.Axis<LogarithmicAxis>(AxisPosition.Left, title, double.NaN, double.NaN, 20);
        (axis.Base, axis.MinimumPadding, axis.MaximumPadding, axis.IntervalLength) = (powers, 0.1, 0.1, 24);
        return axis;
    }

    private static double Position(ClusterTrial trial) => Math.Log2(trial.Clusters);

    private static LineSeries Line(
        KChoice choice, string title, int color, Func<ClusterTrial, double> value, LineStyle style = LineStyle.Solid, double shift = 0)
    {
        var line = new LineSeries
        {
            Title = title,
            Color = Chart.Colors[color],
            LineStyle = style,
            StrokeThickness = 2,
            MarkerType = MarkerType.Circle,
            MarkerSize = 3,
        };
        line.Points.AddRange(choice.Trials.Select(trial => new DataPoint(Position(trial) + shift, value(trial))));
        return line;
    }

    /// <summary>Above the largest recall and its error.</summary>
    private static double RecallTop(KChoice choice) => 1.03 * choice.Trials
        .SelectMany(trial => new[] { trial.Untrained, trial.Training?.Trained ?? trial.Untrained })
        .Max(curve => Recall.At(curve, 5) + choice.Error(Recall.At(curve, 5)));

    /// <summary>Before and after training, moved a little sideways so that the bars do not cover each other.</summary>
    private static IEnumerable<Series> Recalls(KChoice choice)
    {
        const double Shift = 0.03;
        var untrained = Recalls(choice, trial => trial.Untrained, "untrained", LineStyle.Dash, -Shift);
        return choice.Best.Training is null
            ? untrained
            : Recalls(choice, trial => trial.Training!.Trained, "trained", LineStyle.Solid, Shift).Concat(untrained);
    }

    private static IEnumerable<Series> Recalls(KChoice choice, Func<ClusterTrial, double[]> curve, string name, LineStyle style, double shift)
    {
        foreach (var (n, color) in new[] { (5, 2), (1, 0) })
        {
            yield return Line(choice, $"{name} recall@{n}", color, At, style, shift);
            var bars = new ScatterErrorSeries { MarkerType = MarkerType.None, ErrorBarColor = Chart.Colors[color], ErrorBarStrokeThickness = 1, ErrorBarStopWidth = 3 };
            bars.Points.AddRange(choice.Trials.Select(trial =>
                new ScatterErrorPoint(Position(trial) + shift, At(trial), 0, 2 * choice.Error(At(trial)))));   // OxyPlot takes the whole length
            yield return bars;

            double At(ClusterTrial trial) => Recall.At(curve(trial), n);
        }
    }
}
