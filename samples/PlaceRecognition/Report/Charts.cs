using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>The curves of a run as SVG, with text that the browser sets.</summary>
internal static class Charts
{
    private static readonly OxyColor[] Colors =
    [
        OxyColor.Parse("#0072b2"), OxyColor.Parse("#d55e00"), OxyColor.Parse("#009e73"), OxyColor.Parse("#cc79a7"), OxyColor.Parse("#56b4e9"),
    ];

    public static string Loss(IReadOnlyDictionary<string, PoolingProgress> poolings) =>
        Draw("Training loss", "epoch", "mean triplet loss of a query", double.NaN, poolings.Select((p, i) => Line(p.Key, p.Value.Loss, Colors[i])));

    public static string Validation(IReadOnlyDictionary<string, PoolingProgress> poolings) =>
        Draw("Recall@5 on the validation streets", "epoch", "recall@5", 1, poolings.Select((p, i) => Line(p.Key, p.Value.Validation.Select(v => v[1]), Colors[i])));

    public static string Recall(IReadOnlyDictionary<string, PoolingProgress> poolings) =>
        Draw("Recall@N on the test streets", "N", "share of queries found within 25 m", 1, poolings.SelectMany((p, i) => new[]
        {
            Line(p.Key, p.Value.Trained, Colors[i]),
            Line($"{p.Key}, untrained", p.Value.Untrained, Colors[i], LineStyle.Dash),
        }));

    private static LineSeries Line(string title, IEnumerable<double> values, OxyColor color, LineStyle style = LineStyle.Solid)
    {
        var line = new LineSeries { Title = title, Color = color, LineStyle = style, StrokeThickness = 2 };
        line.Points.AddRange(values.Select((value, i) => new DataPoint(i + 1, value)));
        if (line.Points.Count == 1)
        {
            line.MarkerType = MarkerType.Circle;
        }

        return line;
    }

    private static string Draw(string title, string x, string y, double top, IEnumerable<LineSeries> lines)
    {
        var model = new PlotModel { Title = title, TitleFontSize = 15, TitleFontWeight = 500, PlotAreaBorderColor = OxyColors.LightGray, Background = OxyColors.White };
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = x, MinimumMajorStep = 1, MinimumMinorStep = 1, MajorGridlineStyle = LineStyle.Solid, MajorGridlineColor = OxyColor.FromRgb(235, 235, 235) });
        model.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Title = y, Minimum = 0, Maximum = top, MajorGridlineStyle = LineStyle.Solid, MajorGridlineColor = OxyColor.FromRgb(235, 235, 235) });
        model.Legends.Add(new Legend { LegendPlacement = LegendPlacement.Outside, LegendPosition = LegendPosition.RightTop, LegendBorderThickness = 0 });
        foreach (var line in lines)
        {
            model.Series.Add(line);
        }

        return new SvgExporter { Width = 760, Height = 380, IsDocument = false }.ExportToString(model);
    }
}
