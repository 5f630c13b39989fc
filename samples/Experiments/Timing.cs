using System.Diagnostics;

namespace Experiments;

/// <summary>How long a step takes once it is warm.</summary>
internal static class Timing
{
    private const int WarmUps = 3;
    private const int FewestRounds = 9;
    private const int MostRounds = 999;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(0.2);   // short steps need many rounds

    /// <summary>Seconds: the median of several rounds after a few that do not count.</summary>
    public static double Median(Action step)
    {
        var seconds = new List<double>();
        for (var i = 0; i < WarmUps; i++)
        {
            step();
        }

        var whole = Stopwatch.StartNew();
        while (seconds.Count < FewestRounds || (seconds.Count < MostRounds && whole.Elapsed < Long))
        {
            var clock = Stopwatch.StartNew();
            step();
            seconds.Add(clock.Elapsed.TotalSeconds);
        }

        seconds.Sort();
        return seconds[seconds.Count / 2];
    }
}
