using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using Stability.Measures;

namespace Stability.Report.Charts;

/// <summary>A value for each layer, from the pictures to the scores, with error bars.</summary>
internal static class LayerChart
{
    /// <param name="Color">Number in the <see cref="Palette"/>.</param>
    /// <param name="Dashed">As before training.</param>
    internal sealed record Line(int Color, bool Dashed, IReadOnlyList<Estimate> Values);

    /// <param name="layers">Names under the axis.</param>
    /// <param name="top">End of the y axis, which begins at 0; NaN where the lines decide.</param>
    public static string Svg(string title, string y, IReadOnlyList<string> layers, double top, IReadOnlyList<Line> lines, int width = 760, int height = 380)
    {
        var model = Chart.Model(title);
        var bottom = Chart.Axis<LinearAxis>(AxisPosition.Bottom, "layer", -0.4, layers.Count - 0.6, 8);
        bottom.MajorStep = 1;
        bottom.LabelFormatter = at => at >= 0 && at < layers.Count && at % 1 == 0 ? layers[(int)at] : "";
        model.Axes.Add(bottom);
        model.Axes.Add(Chart.Axis<LinearAxis>(AxisPosition.Left, y, 0, top, 20));
        foreach (var line in lines)
        {
            Add(model, line);
        }

        return new SvgExporter { Width = width, Height = height, IsDocument = false }.ExportToString(model);
    }

    private static void Add(PlotModel model, Line line)
    {
        var color = Palette.Color(line.Color);
        var series = new LineSeries
        {
            Color = color,
            StrokeThickness = 2,
            LineStyle = line.Dashed ? LineStyle.Dash : LineStyle.Solid,
            MarkerType = Palette.Marker(line.Color),
            MarkerSize = 3,
            MarkerFill = line.Dashed ? OxyColors.White : color,
            MarkerStroke = color,
            MarkerStrokeThickness = 1,
        };
        for (var i = 0; i < line.Values.Count; i++)
        {
            var (mean, error) = (line.Values[i].Mean, line.Values[i].Error);
            series.Points.Add(new(i, mean));
            if (error > 0)
            {
                var bar = new LineSeries { Color = color, StrokeThickness = 1.5 };
                bar.Points.AddRange([new DataPoint(i, mean - error), new DataPoint(i, mean + error)]);
                model.Series.Add(bar);
            }
        }

        model.Series.Add(series);
    }
}
