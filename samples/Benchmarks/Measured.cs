namespace Benchmarks;

/// <summary>Times of one contestant in milliseconds, a round each.</summary>
internal sealed record Times(string Name, IReadOnlyList<double> Milliseconds)
{
    /// <summary>As <see cref="Contestant.IsFloor"/>.</summary>
    public bool IsFloor { get; init; }

    public double Median
    {
        get
        {
            var sorted = Milliseconds.Order().ToArray();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }
}

/// <summary>What a case took.</summary>
/// <param name="Missing">Why there are no times of Python.</param>
internal sealed record Measured(Case Case, IReadOnlyList<Times> Times, string? Missing)
{
    /// <summary>How many times as long as ours another takes, by the medians; null where it is not in this case.</summary>
    public double? Against(string contestant) =>
        Times.FirstOrDefault(one => one.Name == contestant) is { } other ? other.Median / Times[0].Median : null;
}
