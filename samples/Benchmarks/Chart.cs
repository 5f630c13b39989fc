using ScottPlot;

namespace Benchmarks;

/// <summary>Time and memory over the size of the input, both axes logarithmic, each series from its smallest size on.</summary>
internal static class Chart
{
    public static void Write(IReadOnlyList<Grown> growth, string path)
    {
        var multiplot = new Multiplot();
        multiplot.AddPlots(2);
        Draw(multiplot.GetPlot(0), "time", growth, item => item.Milliseconds, item => item.Time);
        Draw(multiplot.GetPlot(1), "extra memory", growth, item => item.Bytes, item => item.Memory);
        multiplot.SavePng(path, 900, 1100);
    }

    private static void Draw(
        Plot plot, string what, IReadOnlyList<Grown> growth, Func<Grown, IReadOnlyList<double>> values, Func<Grown, double> exponent)
    {
        plot.Add.Palette = new ScottPlot.Palettes.Category20();
        plot.Title($"{what}, over that of the smallest input");
        plot.XLabel("size of the input, over the smallest");
        var most = 1.0;
        foreach (var item in growth)
        {
            var (sizes, y) = (item.Series.Cases.Select(one => one.Size).ToArray(), values(item));
            most = Math.Max(most, (double)sizes[^1] / sizes[0]);
            var line = plot.Add.Scatter(
                sizes.Select(size => Math.Log10((double)size / sizes[0])).ToArray(), y.Select(value => Math.Log10(value / y[0])).ToArray());
            line.LegendText = FormattableString.Invariant($"{item.Series.Operator}, {item.Series.Dimension}: {exponent(item):0.00}");
            line.LineWidth = 2;
        }

        var linear = plot.Add.Line(0, 0, Math.Log10(most), Math.Log10(most));
        linear.LegendText = "proportional: 1";
        linear.Color = Colors.Black;
        linear.LinePattern = LinePattern.Dashed;
        foreach (var axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left })
        {
            axis.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
            {
                LabelFormatter = exponent => FormattableString.Invariant($"{Math.Pow(10, exponent):0.##}"),
            };
        }

        plot.ShowLegend(Edge.Right);
    }
}
