using System.Diagnostics;

namespace PlaceRecognition.Commands;

/// <summary>How long a step takes once it is warm.</summary>
internal static class Timing
{
    private const int WarmUps = 3;
    private const int Rounds = 9;

    /// <summary>Seconds: the median of several rounds after a few that do not count.</summary>
    public static double Median(Action step)
    {
        var seconds = new double[Rounds];
        for (var i = -WarmUps; i < Rounds; i++)
        {
            var clock = Stopwatch.StartNew();
            step();
            seconds[Math.Max(i, 0)] = clock.Elapsed.TotalSeconds;
        }

        Array.Sort(seconds);
        return seconds[Rounds / 2];
    }
}
