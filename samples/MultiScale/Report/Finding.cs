using System.Globalization;
using MultiScale.Model;

namespace MultiScale.Report;

/// <summary>What the run says of several sizes against one, in words.</summary>
internal static class Finding
{
    private const double Clear = 2;   // standard errors

    /// <summary>Of each size: the pyramid that learned from several less that which learned from one, in shares, and one standard
    /// error of it, paired by picture.</summary>
    public static IEnumerable<(int Size, double Difference, double Error)> Differences(Metrics metrics)
    {
        var (several, one) = (metrics.Result(Method.OfSeveralSizes), metrics.Result(Method.OfOneSize));
        return metrics.Sizes.Select(size => (
            size, several.BySize[size].Accuracy - one.BySize[size].Accuracy, StandardError.OfDifference(several.BySize[size].Correct, one.BySize[size].Correct)));
    }

    /// <summary>What was measured, and what stands beside it; no cause, since none was tested.</summary>
    public static string Of(Metrics metrics)
    {
        var differences = Differences(metrics).ToList();
        var others = differences.Where(item => item.Size != Method.OneSize).ToList();
        var ahead = others.Where(item => item.Difference > Clear * item.Error).ToList();
        var behind = others.Where(item => item.Difference < -Clear * item.Error).ToList();
        var even = others.Except(ahead).Except(behind).ToList();
        var home = differences.Where(item => item.Size == Method.OneSize).Select(item => $" At {Method.OneSize} pixels, where the other learned, the difference is {Points(item)}.");
        string[] parts = [Part(ahead, "clearly ahead at"), Part(even, "no clear difference (two standard errors) at"), Part(behind, "clearly behind at")];
        return $"Training at several sizes ({string.Join(", ", metrics.Result(Method.OfSeveralSizes).TrainedSizes.Keys)}) against training at {Method.OneSize} alone, in points of accuracy: "
            + $"{string.Join("; ", parts.Where(part => part.Length > 0))}." + string.Concat(home)
            + (behind.Count + even.Count > 0 ? $" Not ahead everywhere: {Beside(metrics, [.. behind, .. even])}" : "")
            + " ± is one standard error of the test pictures, from one training of each network: another seed would move the differences too.";
    }

    private static string Beside(Metrics metrics, IReadOnlyList<(int Size, double Difference, double Error)> missed)
    {
        if (metrics.Options.Quick)
        {
            return "a quick run trains next to nothing.";
        }

        var trained = metrics.Result(Method.OfSeveralSizes).TrainedSizes;
        var strange = missed.Select(item => item.Size).Where(size => !trained.ContainsKey(size)).Order().ToList();
        return (strange.Count > 0 ? $"{string.Join(", ", strange)} came in no training; " : "")
            + $"of {Number(trained.Values.Sum())} pictures each, the other had all at {Method.OneSize} pixels, the one of several sizes "
            + $"{string.Join(", ", trained.Select(size => $"{Number(size.Value)} at {size.Key}"))}.";
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Part(IReadOnlyCollection<(int Size, double Difference, double Error)> items, string verdict) =>
        items.Count == 0 ? "" : $"{verdict} {string.Join(", ", items.Select(item => $"{item.Size} ({Points(item)})"))}";

    private static string Points((int Size, double Difference, double Error) item) =>
        string.Create(CultureInfo.InvariantCulture, $"{100 * item.Difference:+0.0;-0.0;0.0} ± {100 * item.Error:0.0}");
}
