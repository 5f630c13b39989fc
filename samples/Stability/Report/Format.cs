using System.Globalization;
using Stability.Measures;

namespace Stability.Report;

/// <summary>Numbers as the report writes them, as plain text.</summary>
internal static class Format
{
    private const char Space = '\u00a0';   // that no line breaks at

    /// <summary>A dash where there is none.</summary>
    public static string Number(double value, int digits = 3) => double.IsNaN(value) ? "–" : value.ToString($"F{digits}", CultureInfo.InvariantCulture).Replace('-', '−');

    public static string Percent(double share) => double.IsNaN(share) ? "–" : $"{Number(100 * share, 0)}{Space}%";

    /// <summary>With its standard error, where there is one.</summary>
    public static string Text(Estimate value, int digits = 3) =>
        double.IsNaN(value.Error) ? Number(value.Mean, digits) : $"{Number(value.Mean, digits)}{Space}±{Space}{Number(value.Error, digits)}";

    /// <summary>With the probability of as much by chance.</summary>
    public static string Text(Correlation value) => double.IsNaN(value.Value) ? "–" : $"{Number(value.Value, 2)} ({Chance(value.Chance)})";

    /// <summary>“p = 0.012”, or that it is below 0.001.</summary>
    public static string Chance(double value) => value < 0.001 ? $"p{Space}<{Space}0.001" : $"p{Space}={Space}{Number(value)}";

    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>“a, b and c”.</summary>
    public static string Series(IEnumerable<string> items)
    {
        var all = items.ToList();
        return all.Count < 2 ? string.Concat(all) : $"{string.Join(", ", all.SkipLast(1))} and {all[^1]}";
    }

    /// <summary>Words in a cell, as HTML.</summary>
    public static string Left(string text) => $"<div style=\"text-align:left\">{HtmlPage.Encode(text)}</div>";
}
