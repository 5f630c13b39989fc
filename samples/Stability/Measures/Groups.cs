namespace Stability.Measures;

/// <summary>A value of one network.</summary>
/// <param name="Group">What it is compared by: its pooling.</param>
/// <param name="Seed">Which start it shares with one network of each other group.</param>
internal readonly record struct Member(string Group, int Seed, double Value);

/// <summary>What groups explain. Every group has one member of each seed.</summary>
internal static class Groups
{
    public const int Draws = 9999;
    private const double Rounding = 1e-9;

    /// <summary>η²: variance between the groups' means over the whole variance; NaN where there is none, or one seed alone.</summary>
    public static double Explained(IReadOnlyCollection<Member> members)
    {
        var mean = members.Average(member => member.Value);
        var whole = members.Sum(member => Math.Pow(member.Value - mean, 2));
        var between = members.GroupBy(member => member.Group).Sum(group => group.Count() * Math.Pow(group.Average(member => member.Value) - mean, 2));
        return whole > 0 && Seeds(members).Count > 1 ? between / whole : double.NaN;
    }

    /// <summary>Probability of as much variance between groups if they did not matter: the share of random exchanges of groups within the
    /// seeds that give it, the one that was measured among them. NaN of one seed.</summary>
    public static double Chance(IReadOnlyCollection<Member> members)
    {
        var seeds = Seeds(members);
        if (seeds.Count < 2 || members.Any(member => !double.IsFinite(member.Value)))
        {
            return double.NaN;
        }

        var dice = new Random(1);
        var mean = members.Average(member => member.Value);
        double[][] values = [.. seeds.Select(seed => seed.OrderBy(member => member.Group, StringComparer.Ordinal).Select(member => member.Value - mean).ToArray())];
        var (measured, asMuch) = (Between(values) * (1 - Rounding), 1);
        for (var draw = 0; draw < Draws; draw++)
        {
            Array.ForEach(values, dice.Shuffle);
            asMuch += Between(values) >= measured ? 1 : 0;
        }

        return asMuch / (Draws + 1.0);
    }

    /// <summary>Every pair less the means of its group and of its seed, plus that of all; 0 where only rounding is left.</summary>
    public static List<(double X, double Y)> Centred(IReadOnlyCollection<(Member X, Member Y)> pairs)
    {
        return [.. Centred(pairs.Select(pair => pair.X)).Zip(Centred(pairs.Select(pair => pair.Y)))];

        static IEnumerable<double> Centred(IEnumerable<Member> members)
        {
            var all = members.ToList();
            var (groups, seeds) = (all.ToLookup(member => member.Group, member => member.Value), all.ToLookup(member => member.Seed, member => member.Value));
            var (mean, size) = (all.Average(member => member.Value), all.Max(member => Math.Abs(member.Value)));
            return all.Select(member => member.Value - groups[member.Group].Average() - seeds[member.Seed].Average() + mean)
                .Select(rest => Math.Abs(rest) > Rounding * size ? rest : 0);
        }
    }

    private static List<IGrouping<int, Member>> Seeds(IEnumerable<Member> members) => [.. members.GroupBy(member => member.Seed)];

    private static double Between(double[][] values) => Enumerable.Range(0, values[0].Length).Sum(group => Math.Pow(values.Sum(seed => seed[group]), 2));
}
