using System.Globalization;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>Whether NetVLAD leads over max and average pooling, in sentences; empty where they were not compared.</summary>
internal static class Finding
{
    public static string Of(IReadOnlyDictionary<string, PoolingProgress> poolings)
    {
        var others = poolings.Where(p => p.Key is "max" or "avg").ToList();
        if (!poolings.TryGetValue("netvlad", out var netvlad) || others.Count == 0)
        {
            return "";
        }

        var (name, other) = others.MaxBy(p => p.Value.Trained[0]);
        var (ours, theirs) = (netvlad.Trained[0], other.Trained[0]);
        var error = StandardError.OfDifference(netvlad.FirstRight, other.FirstRight);
        var verdict = Math.Abs(ours - theirs) <= 2 * error
            ? "That is no clear difference: more epochs, or more pictures, are the first thing to try."
            : ours > theirs ? "NetVLAD is clearly ahead." : "NetVLAD is clearly behind.";
        return string.Create(CultureInfo.InvariantCulture, $"""
            NetVLAD answers {100 * ours:0.0} % of the queries right at once, {name} pooling{(others.Count > 1 ? " (of max and average the better)" : "")} {100 * theirs:0.0} %:
            a difference of {100 * (ours - theirs):0.0} ± {100 * error:0.0} points (one standard error, paired by query). {verdict}
            """);
    }
}
