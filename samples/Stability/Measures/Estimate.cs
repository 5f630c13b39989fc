namespace Stability.Measures;

/// <summary>A mean, and one standard error of it: NaN of a single value.</summary>
internal readonly record struct Estimate(double Mean, double Error, int Count)
{
    public static Estimate Of(IEnumerable<double> values)
    {
        var all = values.ToList();
        if (all.Count == 0)
        {
            return new(double.NaN, double.NaN, 0);
        }

        var mean = all.Average();
        var squares = all.Sum(value => Math.Pow(value - mean, 2));
        return new(mean, all.Count < 2 ? double.NaN : Math.Sqrt(squares / (all.Count - 1) / all.Count), all.Count);
    }

    /// <summary>Of more − less, pair by pair.</summary>
    public static Estimate OfDifferences(IEnumerable<double> more, IEnumerable<double> less) => Of(more.Zip(less, (a, b) => a - b));

    /// <summary>Probability of as large a mean if the true one were 0, by Student's t; NaN where it cannot be told.</summary>
    public double Chance => Error == 0 ? (Mean > 0 ? 0 : 1) : Student.Beyond(Mean / Error, Count - 1);
}
