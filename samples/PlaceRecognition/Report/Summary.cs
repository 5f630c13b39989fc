using System.Globalization;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using Spectre.Console;

namespace PlaceRecognition.Report;

/// <summary>The comparison as a table on the terminal.</summary>
internal static class Summary
{
    public static Table Table(IEnumerable<string> kinds, IReadOnlyDictionary<string, PoolingProgress> poolings)
    {
        var table = new Table().Title("Recall on the test split, within 25 m").AddColumns("pooling", "dimensions", "untrained @1/5/10", "trained @1/5/10", "± @1");
        foreach (var kind in kinds)
        {
            var progress = poolings[kind];
            table.AddRow(
                kind, $"{progress.Dimensions}", Recalls(progress.Untrained, "/"), Recalls(progress.Trained, "/"),
                progress.FirstError().ToString("0.000", CultureInfo.InvariantCulture));
        }

        return table;
    }

    public static string Recalls(IReadOnlyList<double> curve, string separator = " / ") =>
        string.Join(separator, new[] { 1, 5, 10 }.Select(n => Recall.At(curve, n).ToString("0.000", CultureInfo.InvariantCulture)));
}
