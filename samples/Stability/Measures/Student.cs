namespace Stability.Measures;

/// <summary>Student's t distribution.</summary>
internal static class Student
{
    /// <summary>Probability of more than t; NaN without a degree of freedom.</summary>
    /// <remarks>The finite series of θ = atan(t/√ν): Abramowitz, Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.</remarks>
    /// <param name="freedom">ν.</param>
    public static double Beyond(double t, int freedom)
    {
        if (freedom < 1)
        {
            return double.NaN;
        }

        var angle = Math.Atan(t / Math.Sqrt(freedom));
        var (sin, cos) = Math.SinCos(angle);
        var odd = freedom % 2 == 1;
        var (sum, term) = (0.0, odd ? cos : 1);
        for (var i = odd ? 3 : 2; i <= freedom; i += 2)
        {
            sum += term;
            term *= cos * cos * (i - 1) / i;
        }

        var within = odd ? 2 / Math.PI * (angle + (sin * sum)) : sin * sum;   // P(|T| < |t|), with the sign of t
        return (1 - within) / 2;
    }
}

/// <summary>What chances tell.</summary>
internal static class Told
{
    private const double Error = 0.05;

    /// <summary>Whether all are above 0: true where each is told with an error of 5 %; false where one is told to be below, with an error of
    /// 5 % over their number; else null.</summary>
    /// <param name="chances">For each the probability of as much if it were 0; NaN where it cannot be told.</param>
    public static bool? All(IEnumerable<double> chances)
    {
        var all = chances.ToList();
        return all.Count > 0 && all.TrueForAll(chance => chance <= Error) ? true : all.Exists(chance => 1 - chance <= Error / all.Count) ? false : null;
    }
}
