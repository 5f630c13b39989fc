namespace Experiments.Report;

/// <summary>How far shares of so many queries are to be trusted: one standard error.</summary>
internal static class StandardError
{
    /// <summary>√(r(1 − r)/n) of a share r of n queries.</summary>
    public static double OfShare(double share, int queries) => Math.Sqrt(share * (1 - share) / queries);

    /// <summary>Of the difference of two shares that answer the same n queries: √(b + c − (b − c)²/n)/n, b and c the queries
    /// that only one of them got right.</summary>
    public static double OfDifference(bool[] ours, bool[] theirs)
    {
        var n = ours.Length;
        double onlyOurs = ours.Zip(theirs).Count(pair => pair.First && !pair.Second);
        double onlyTheirs = ours.Zip(theirs).Count(pair => !pair.First && pair.Second);
        return Math.Sqrt(onlyOurs + onlyTheirs - Math.Pow(onlyOurs - onlyTheirs, 2) / n) / n;
    }
}
