using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Experiments.Report;

/// <summary>Lines over numbers as SVG, each point with its error where it has one.</summary>
internal static class LineChart
{
    /// <param name="Name">For the legend.</param>
    /// <param name="Points">x, y, and the half of the bar through the point, 0 for none.</param>
    internal sealed record Line(string Name, IReadOnlyList<(double X, double Y, double Error)> Points);

    /// <summary>Which colour is which line, as HTML.</summary>
    public static string Legend(IEnumerable<string> names) => "<p class=\"legend\">" + string.Concat(names.Select((name, i) =>
        $"<span><i style=\"background:{Chart.Css(Color(i))}\"></i>{HtmlPage.Encode(name)}</span>")) + "</p>";

    /// <summary>A range that the lines decide.</summary>
    public static (double From, double To) Free => (double.NaN, double.NaN);

    /// <param name="range">Of the y axis; NaN where the lines decide.</param>
    /// <param name="xRange">Of the x axis; the lines decide where null, in steps of at least 1.</param>
    public static string Svg(
        string title, string x, string y, (double From, double To) range, IReadOnlyList<Line> lines, (double From, double To)? xRange = null)
    {
        var (from, to) = xRange ?? Free;
        var model = Chart.Model(title);
        model.Axes.Add(Chart.Axis<LinearAxis>(AxisPosition.Bottom, x, from, to, 8));
        model.Axes.Add(Chart.Axis<LinearAxis>(AxisPosition.Left, y, range.From, range.To, 20));
        for (var i = 0; i < lines.Count; i++)
        {
            model.Series.Add(Curve(lines[i], Color(i)));
            foreach (var (at, value, error) in lines[i].Points.Where(point => point.Error > 0))
            {
                var bar = new LineSeries { Color = Color(i), StrokeThickness = 1.5 };
                bar.Points.AddRange([new DataPoint(at, value - error), new DataPoint(at, value + error)]);
                model.Series.Add(bar);
            }
        }

        return new SvgExporter { Width = 760, Height = 380, IsDocument = false }.ExportToString(model);
    }

    private static LineSeries Curve(Line line, OxyColor color)
    {
        var series = new LineSeries { Color = color, StrokeThickness = 2, MarkerType = MarkerType.Circle, MarkerSize = 3, MarkerFill = color };
        series.Points.AddRange(line.Points.Select(point => new DataPoint(point.X, point.Y)));
        return series;
    }

    private static OxyColor Color(int i) => Chart.Colors[i % Chart.Colors.Length];
}
