using System.Globalization;
using MultiScale.Training;
using Spectre.Console;

namespace MultiScale.Report;

/// <summary>The comparison as a table on the terminal.</summary>
internal static class Summary
{
    public static Table Table(IReadOnlyList<MethodResult> results)
    {
        var sizes = results[0].BySize.Keys.Order().ToList();
        var table = new Table().Title("Share of right answers at each size").AddColumns([.. sizes.Select(size => $"{size}").Prepend("network").Append("± at most")]);
        foreach (var result in results)
        {
            table.AddRow(
                [result.Method.Name, .. sizes.Select(size => Share(result.BySize[size].Accuracy)), Share(sizes.Max(size => result.BySize[size].Error))]);
        }

        return table;
    }

    private static string Share(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
