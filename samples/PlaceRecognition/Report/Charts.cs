using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>The curves of a run as SVG, with text that the browser sets.</summary>
internal static class Charts
{
    internal static readonly OxyColor[] Colors =
    [
        OxyColor.Parse("#0072b2"), OxyColor.Parse("#d55e00"), OxyColor.Parse("#009e73"), OxyColor.Parse("#cc79a7"), OxyColor.Parse("#56b4e9"),
    ];

    /// <summary>Which colour is which pooling, as HTML.</summary>
    public static string Legend(IEnumerable<string> kinds) => "<p class=\"legend\">" + string.Concat(kinds.Select((kind, i) =>
        $"<span><i style=\"background:{Css(Colors[i])}\"></i>{kind}</span>")) + "</p>";

    internal static string Css(OxyColor color) => $"#{color.R:x2}{color.G:x2}{color.B:x2}";

    public static string Loss(IReadOnlyList<PoolingProgress> poolings) =>
        Draw("Training loss", "epoch", "mean triplet loss of a query", double.NaN, poolings.Select((p, i) => Line(p.Loss, Colors[i])));

    public static string Validation(IReadOnlyList<PoolingProgress> poolings) =>
        Draw("Recall@5 on the validation streets", "epoch", "recall@5", 1, poolings.Select((p, i) => Line(p.Validation.Select(v => v[1]), Colors[i])));

    public static string Recall(IReadOnlyList<PoolingProgress> poolings) =>
        Draw("Recall@N on the test streets (dashed: untrained)", "N", "share of queries found within 25 m", 1, poolings.SelectMany((p, i) => new[]
        {
            Line(p.Trained, Colors[i]),
            Line(p.Untrained, Colors[i], LineStyle.Dash),
        }));

    private static LineSeries Line(IEnumerable<double> values, OxyColor color, LineStyle style = LineStyle.Solid)
    {
        var line = new LineSeries { Color = color, LineStyle = style, StrokeThickness = 2 };
        line.Points.AddRange(values.Select((value, i) => new DataPoint(i + 1, value)));
        if (line.Points.Count == 1)
        {
            line.MarkerType = MarkerType.Circle;
        }

        return line;
    }

    private static string Draw(string title, string x, string y, double top, IEnumerable<LineSeries> lines)
    {
        var model = Model(title);
        model.Axes.Add(Axis<LinearAxis>(AxisPosition.Bottom, x, double.NaN, double.NaN, 8));
        model.Axes.Add(Axis<LinearAxis>(AxisPosition.Left, y, 0, top, 20));
        foreach (var line in lines)
        {
            model.Series.Add(line);
        }

        return new SvgExporter { Width = 760, Height = 380, IsDocument = false }.ExportToString(model);
    }

    /// <summary>An empty chart.</summary>
    internal static PlotModel Model(string title) => new()
    {
        Title = title,
        TitleFontSize = 15,
        TitleFontWeight = 500,
        DefaultFont = "sans-serif",
        Background = OxyColors.White,
        PlotAreaBorderColor = OxyColors.LightGray,

        // Margins and distances are fixed: a browser's sans-serif may be wider than the metrics that OxyPlot assumes.
        PlotMargins = new OxyThickness(64, 8, 16, 48),
    };

    /// <summary>An axis with a grid; NaN where the series decide its end.</summary>
    internal static T Axis<T>(AxisPosition position, string title, double minimum, double maximum, double titleDistance)
        where T : Axis, new() => new()
        {
            Position = position,
            Title = title,
            AxisTitleDistance = titleDistance,
            Minimum = minimum,
            Maximum = maximum,
            MinimumMajorStep = position == AxisPosition.Bottom ? 1 : 0,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColor.FromRgb(235, 235, 235),
            MinorTickSize = 0,
        };
}
