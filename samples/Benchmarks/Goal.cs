using System.Globalization;

namespace Benchmarks;

/// <summary>All that a run measured.</summary>
internal sealed record Results(
    IReadOnlyList<Measured> Times, IReadOnlyList<MemoryUse> Memory, IReadOnlyList<Grown> Growth,
    IReadOnlyList<Overhead.Cost> Overhead);

/// <summary>A goal, and by which of the results it is judged.</summary>
/// <param name="Text">What the table shows.</param>
/// <param name="Limit">The least or the most that meets it.</param>
/// <param name="IsMost">Whether <paramref name="Limit"/> is the most.</param>
/// <param name="Values">A value for each case that it speaks of.</param>
internal sealed record Goal(string Text, double Limit, bool IsMost, Func<Results, IEnumerable<Judged>> Values)
{
    /// <summary>Where a run stands with it; null where the run has no case of it.</summary>
    public Verdict? Judge(Results results)
    {
        var values = Values(results).ToArray();
        if (values.Length == 0)
        {
            return null;
        }

        Judged[] sorted = [.. IsMost ? values.OrderByDescending(item => item.Value) : values.OrderBy(item => item.Value)];
        return new(this, values.Count(item => IsMost ? item.Value <= Limit : item.Value >= Limit), values.Length, sorted[0], sorted[values.Length / 2].Value);
    }

    /// <summary>A goal of times: how many times as long as ours another takes.</summary>
    public static Goal Faster(string @operator, string against, double least, Func<Setting, bool> chosen, string text) => new(
        text, least, false, results =>
            from item in Of(results, @operator, chosen)
            let other = item.Against(against)
            where other is not null
            let floor = item.Times.FirstOrDefault(one => one.IsFloor)
            select new Judged(item.Case.Name, other.Value)
            {
                Floor = floor is null ? null : (floor.Name, other.Value / item.Against(floor.Name)!.Value),
            });

    /// <summary>A goal of times: how many times as long as a floor ours takes.</summary>
    public static Goal Near(string @operator, string floor, double most, Func<Setting, bool> chosen, string text) => new(
        text, most, true, results => Of(results, @operator, chosen)
            .Where(item => item.Against(floor) is not null).Select(item => new Judged(item.Case.Name, 1 / item.Against(floor)!.Value)));

    private static IEnumerable<Measured> Of(Results results, string @operator, Func<Setting, bool> chosen) =>
        results.Times.Where(item => item.Case.Operator.StartsWith(@operator, StringComparison.Ordinal) && chosen(item.Case.Setting));
}

/// <summary>One case of a goal.</summary>
internal sealed record Judged(string Case, double Value)
{
    /// <summary>What the value would be if ours took as long as the floor of the case: what cannot be reached.</summary>
    public (string Name, double Value)? Floor { get; init; }
}

/// <summary>How a goal is met.</summary>
/// <param name="Goal">The goal.</param>
/// <param name="Met">In how many cases.</param>
/// <param name="Cases">Of how many.</param>
/// <param name="Worst">The case farthest from it.</param>
/// <param name="Median">Of all cases.</param>
internal sealed record Verdict(Goal Goal, int Met, int Cases, Judged Worst, double Median)
{
    public bool IsMet => Met == Cases;

    public string Limit => string.Create(CultureInfo.InvariantCulture, $"{(Goal.IsMost ? "≤" : "≥")} {Goal.Limit}");
}
