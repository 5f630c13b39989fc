using System.Globalization;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>What the trials say about K, in sentences.</summary>
internal static class ChooseKFinding
{
    public static string Of(KChoice choice) => string.Join(" ", new[] { BestAndChosen(choice), Cost(choice), Limits(choice) }.Where(sentence => sentence.Length > 0));

    private static string BestAndChosen(KChoice choice)
    {
        var (best, chosen) = (choice.Best, choice.Chosen);
        var judged = best.Training is null ? "without training" : "after training";
        var first = string.Create(CultureInfo.InvariantCulture, $"""
            K = {best.Clusters} has the best validation recall@1 {judged}, {100 * best.FirstRecall:0.0} ± {100 * choice.Error(best.FirstRecall):0.0} % (one standard error of {choice.Queries} queries)
            """);
        if (chosen != best)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"{first}; K = {chosen.Clusters} is the smallest within one standard error of it, {100 * choice.Lag(chosen):0.0} ± {100 * choice.LagError(chosen):0.0} points lower (paired by query).");
        }

        return best == choice.Trials[0]
            ? $"{first}, and is the smallest K of this run."
            : $"{first}, and no smaller K of this run lies within one standard error of it (paired by query).";
    }

    private static string Cost(KChoice choice)
    {
        var (best, chosen) = (choice.Best, choice.Chosen);
        var own = string.Create(CultureInfo.InvariantCulture, $"""
            At K = {chosen.Clusters} a descriptor has {chosen.Dimensions} numbers ({ChooseKTables.Size(chosen.Bytes)}), and a search among a million of them takes {ChooseKTables.Milliseconds(chosen.SearchSeconds)} ms
            """);
        return chosen == best ? own + "." : string.Create(CultureInfo.InvariantCulture, $"""
            {own}; at K = {best.Clusters} it has {best.Dimensions} ({ChooseKTables.Size(best.Bytes)}), and a search takes {ChooseKTables.Milliseconds(best.SearchSeconds)} ms.
            """);
    }

    private static string Limits(KChoice choice)
    {
        if (choice.Trials.Count > 1 && choice.Best == choice.Trials[^1])
        {
            return "The best is the largest K of this run: a larger one may be better still.";
        }

        var unused = choice.Trials.FirstOrDefault(trial => trial.Start.UsedClusters < 1);
        return unused is null ? "" : string.Create(
            CultureInfo.InvariantCulture, $"At K = {unused.Clusters} only {100 * unused.Start.UsedClusters:0} % of the clusters are the nearest of a descriptor.");
    }
}
