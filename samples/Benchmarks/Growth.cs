namespace Benchmarks;

/// <summary>One operator on inputs that grow in one dimension.</summary>
/// <param name="Operator">What the goals speak of.</param>
/// <param name="Dimension">What grows: N, H·W, K, D, boxes.</param>
/// <param name="Cases">By size.</param>
internal sealed record Series(string Operator, string Dimension, IReadOnlyList<(long Size, Case Case)> Cases)
{
    public string Name => $"growth of {Operator} with {Dimension}";
}

/// <summary>Time and memory over the size, and the exponents fitted to them.</summary>
/// <param name="Milliseconds">Medians, by size.</param>
/// <param name="Bytes">Extra peak bytes, by size.</param>
internal sealed record Grown(Series Series, IReadOnlyList<double> Milliseconds, IReadOnlyList<double> Bytes)
{
    public double Time => Exponent([.. Series.Cases.Select(item => (double)item.Size)], Milliseconds);

    public double Memory => Exponent([.. Series.Cases.Select(item => (double)item.Size)], Bytes);

    /// <summary>b of y = a·xᵇ, by least squares of the logarithms.</summary>
    public static double Exponent(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        var (u, v) = (x.Select(value => Math.Log(value)).ToArray(), y.Select(value => Math.Log(value)).ToArray());
        var (meanU, meanV) = (u.Average(), v.Average());
        return u.Zip(v, (a, b) => (a - meanU) * (b - meanV)).Sum() / u.Sum(a => (a - meanU) * (a - meanU));
    }

    /// <summary>Times the sizes in turns, as the contestants of a case, then the memory of each.</summary>
    public static Grown Of(Series series, Harness harness, string[] arguments)
    {
        Console.Error.WriteLine($"{series.Name} …");
        var times = harness.InTurns([.. series.Cases.Select(item => item.Case)]);
        return new(series, times, [.. series.Cases.Select(item => (double)Benchmarks.Memory.Of(item.Case, arguments).Extra)]);
    }
}
