using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Stability.Report.Charts;

/// <summary>Points of several groups; hollow before training, filled after it.</summary>
internal static class ScatterChart
{
    internal sealed record Point(int Color, bool Filled, double X, double Y);

    public static string Svg(string title, string x, string y, IReadOnlyList<Point> points, int width = 545, int height = 380)
    {
        var model = Chart.Model(title);
        var bottom = Chart.Axis<LinearAxis>(AxisPosition.Bottom, x, double.NaN, double.NaN, 8);
        bottom.MinimumMajorStep = 0;
        (bottom.MinimumPadding, bottom.MaximumPadding) = (0.05, 0.05);
        var left = Chart.Axis<LinearAxis>(AxisPosition.Left, y, double.NaN, double.NaN, 20);
        (left.MinimumPadding, left.MaximumPadding) = (0.05, 0.05);
        model.Axes.Add(bottom);
        model.Axes.Add(left);
        foreach (var group in points.GroupBy(point => (point.Color, point.Filled)))
        {
            var color = Palette.Color(group.Key.Color);
            var series = new ScatterSeries
            {
                MarkerType = Palette.Marker(group.Key.Color),
                MarkerSize = 4,
                MarkerStroke = color,
                MarkerStrokeThickness = 1.5,
                MarkerFill = group.Key.Filled ? color : OxyColors.Transparent,
            };
            series.Points.AddRange(group.Select(point => new ScatterPoint(point.X, point.Y)));
            model.Series.Add(series);
        }

        return new SvgExporter { Width = width, Height = height, IsDocument = false }.ExportToString(model);
    }
}
