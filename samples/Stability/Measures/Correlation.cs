namespace Stability.Measures;

/// <summary>How two measures go together.</summary>
/// <param name="Value">Pearson's correlation; NaN where one of them is constant, or there are too few pairs to tell anything.</param>
/// <param name="Chance">Probability of as large a one if they had nothing to do with each other, by Student's t.</param>
/// <param name="Count">Pairs.</param>
internal readonly record struct Correlation(double Value, double Chance, int Count)
{
    private const double Constant = 1e-9;   // of the values: what rounding leaves

    /// <param name="pairs">Independent of each other, but for what was taken away.</param>
    /// <param name="removed">Means that were taken away from the pairs, beyond the common one: each counts as a pair less.</param>
    public static Correlation Of(IReadOnlyCollection<(double X, double Y)> pairs, int removed = 0)
    {
        var (x, y) = (Deviations(pairs.Select(pair => pair.X)), Deviations(pairs.Select(pair => pair.Y)));
        var freedom = pairs.Count - 2 - removed;
        if (x is null || y is null || freedom < 1)
        {
            return new(double.NaN, double.NaN, pairs.Count);
        }

        var r = Math.Clamp(x.Zip(y, (a, b) => a * b).Sum() / Math.Sqrt(x.Sum(a => a * a) * y.Sum(b => b * b)), -1, 1);
        return new(r, Student.Beyond(r * Math.Sqrt(freedom / (1 - (r * r))), freedom), pairs.Count);
    }

    /// <summary>From the mean; null where they are constant or not finite.</summary>
    private static double[]? Deviations(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var mean = all.DefaultIfEmpty(double.NaN).Average();
        var size = all.Select(Math.Abs).DefaultIfEmpty(0).Max();
        double[] found = [.. all.Select(value => value - mean)];
        return double.IsFinite(mean) && found.Any(value => Math.Abs(value) > Constant * size) ? found : null;
    }
}
