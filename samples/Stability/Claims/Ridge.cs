using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>The best linear guess of one thing from another, tried on rows that it did not learn from.</summary>
/// <param name="Squares">Squared length of each guess's error.</param>
/// <param name="Spread">The same of a guess that is always the mean, summed over the rows.</param>
internal sealed record Ridge(IReadOnlyList<double> Squares, double Spread)
{
    private const double Weight = 1e-4;      // of the penalty, in mean variances of the features
    private const int RowsPerFeature = 4;    // to learn from, at least

    /// <summary>R²: 1 − squares of the errors over squares about the mean; NaN where nothing was guessed.</summary>
    public double Explained => Squares.Count > 0 ? 1 - (Squares.Sum() / Spread) : double.NaN;

    /// <summary>Root mean square length of the errors.</summary>
    public double Error => Squares.Count > 0 ? Math.Sqrt(Squares.Average()) : double.NaN;

    /// <summary>Learns from the first rows, guesses the rest; nothing where there are fewer than four rows to learn from for each feature.</summary>
    /// <param name="features">Shape (N, …).</param>
    /// <param name="targets">Shape (N, …).</param>
    /// <param name="learned">Rows to learn from.</param>
    public static Ridge Of(Tensor features, Tensor targets, long learned)
    {
        using var scope = NewDisposeScope();
        var (x, y) = (features.flatten(1).to(ScalarType.Float64), targets.flatten(1).to(ScalarType.Float64));
        if (learned < RowsPerFeature * x.size(1))
        {
            return new([], double.NaN);
        }

        var (middle, level) = (x.narrow(0, 0, learned).mean([0]), y.narrow(0, 0, learned).mean([0]));
        x = x - middle;
        var known = x.narrow(0, 0, learned);
        var products = known.t().matmul(known);
        var penalty = eye(x.size(1), dtype: ScalarType.Float64) * (products.trace() * Weight / x.size(1));
        var weights = linalg.solve(products + penalty, known.t().matmul(y.narrow(0, 0, learned) - level));
        var rest = x.size(0) - learned;
        var truth = y.narrow(0, learned, rest);
        var errors = x.narrow(0, learned, rest).matmul(weights) + level - truth;
        return new([.. errors.square().sum(1).data<double>()], (truth - truth.mean([0])).square().sum().item<double>());
    }
}
