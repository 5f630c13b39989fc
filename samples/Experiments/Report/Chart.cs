using OxyPlot;
using OxyPlot.Axes;

namespace Experiments.Report;

/// <summary>How the charts of the reports look.</summary>
internal static class Chart
{
    // Set apart for every kind of colour vision (Okabe, Ito), as far as they reach.
    internal static readonly OxyColor[] Colors =
    [
        OxyColor.Parse("#0072b2"), OxyColor.Parse("#d55e00"), OxyColor.Parse("#009e73"), OxyColor.Parse("#cc79a7"), OxyColor.Parse("#56b4e9"),
    ];

    internal static string Css(OxyColor color) => $"#{color.R:x2}{color.G:x2}{color.B:x2}";

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
            MinimumMajorStep = position == AxisPosition.Bottom && double.IsNaN(maximum) ? 1 : 0,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColor.FromRgb(235, 235, 235),
            MinorTickSize = 0,
        };
}
