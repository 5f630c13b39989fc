using static TorchPooling.Tests.Learning.LossTesting;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

public class TripletRankingTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.1)]
    [InlineData(3, 2)]
    public void The_loss_equals_the_loops_of_the_paper(int seed, double margin)
    {
        using var scope = NewDisposeScope();
        var (queries, database) = (Random(seed, 6, 5), Random(seed + 10, 9, 5));
        var (positives, negatives) = (Mask(seed, 0.3, 6, 9), Mask(seed + 10, 0.5, 6, 9));
        var expected = Loops(queries, database, positives, negatives, margin);
        Assert.True(expected > 0.1);
        Assert.Equal(expected, losses.triplet_ranking(queries, database, positives, negatives, margin).ToDouble(), 1e-11);
        AssertGradients(x => losses.triplet_ranking(x[0], x[1], positives, negatives, margin), queries, database);
    }

    [Fact]
    public void A_hand_computed_batch()
    {
        using var scope = NewDisposeScope();
        var queries = tensor(new float[,] { { 1, 0 }, { 0, 1 } });
        var database = tensor(new[,] { { 0.8f, 0.6f }, { 0.6f, 0.8f }, { -1, 0 } });
        var positives = tensor(new[,] { { true, false, false }, { false, true, false } });
        var negatives = tensor(new[,] { { false, true, true }, { true, false, false } });

        // Query 1: d² is 0.4 to its positive, 0.8 and 4 to its negatives: max(0, 0.4 + 0.5 − 0.8) = 0.1.
        // Query 2: 0.4 to its positive, 0.8 to its negative: 0.1. Mean 0.1.
        Assert.Equal(0.1, losses.triplet_ranking(queries, database, positives, negatives, 0.5).ToDouble(), 1e-6);

        // Twice as long vectors: 1.6 + 0.5 − 3.2 < 0. A second, farther positive of query 1 changes nothing.
        Assert.Equal(0, losses.triplet_ranking(queries * 2, database * 2, positives, negatives, 0.5).ToDouble());
        positives[0, 2] = true;
        Assert.Equal(0.1, losses.triplet_ranking(queries, database, positives, negatives, 0.5).ToDouble(), 1e-6);
    }

    [Fact]
    public void Near_equal_long_vectors_keep_their_digits()
    {
        using var scope = NewDisposeScope();
        var queries = full(1, 8, 100f);
        var database = queries + tensor(new[] { 0.001f, 0.002f }).unsqueeze(1);
        var rows = Rows(database);
        var expected = Squared(rows[0], Rows(queries)[0]) + 1e-3 - Squared(rows[1], Rows(queries)[0]);
        var loss = losses.triplet_ranking(queries, database, tensor(new[,] { { true, false } }), tensor(new[,] { { false, true } }), 1e-3);
        Assert.Equal(expected, loss.ToDouble(), 1e-9);   // d² from scalar products of 80,000 is off by 0.01
    }

    [Fact]
    public void Queries_without_positives_or_negatives_count_as_0()
    {
        using var scope = NewDisposeScope();
        var (queries, database) = (zeros(3, 2), zeros(2, 2));   // every triplet violates by the whole margin
        var both = tensor(new[,] { { true, true }, { false, false }, { true, true } });
        var some = tensor(new[,] { { true, true }, { true, true }, { false, false } });
        Assert.Equal(2 * 0.3 / 3, Finite(x => losses.triplet_ranking(x[0], x[1], both, some, 0.3), queries, database), 1e-6);
        Assert.Equal(0, Finite(x => losses.triplet_ranking(x[0], x[1], both, both.logical_not(), 0.3), queries, database), 1e-6);
        var none = zeros(0, 2, dtype: ScalarType.Bool);
        Assert.Equal(0, Finite(x => losses.triplet_ranking(x[0], x[1], none, none), zeros(0, 2), database));
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Half_precision_is_widened(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var (queries, database) = ((Random(1, 3, 4) * 200).to(dtype), (Random(2, 5, 4) * 200).to(dtype));   // d² beyond float16
        var (positives, negatives) = (Mask(1, 0.5, 3, 5), Mask(2, 0.5, 3, 5));
        var loss = losses.triplet_ranking(queries, database, positives, negatives);
        Assert.Equal(ScalarType.Float32, loss.dtype);
        var expected = Loops(queries, database, positives, negatives, 0.1);
        Assert.Equal(expected, loss.ToDouble(), expected * 1e-6);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var scope = NewDisposeScope();
        var (positives, negatives) = (Mask(1, 0.5, 3, 5), Mask(2, 0.5, 3, 5));
        AssertNoLeak(x => losses.triplet_ranking(x[0], x[1], positives, negatives), Random(1, 3, 4), Random(2, 5, 4));
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var (q, d, mask) = (rand(2, 3), rand(4, 3), zeros(2, 4, dtype: ScalarType.Bool));
        Refused<ArgumentException>("expected descriptors (M, D ≥ 1), got 1 dimensions (3)", () => losses.triplet_ranking(rand(3), d, mask, mask));
        Refused<ArgumentException>("expected descriptors (M ≥ 1, D ≥ 1), got 2 dimensions (0, 3)", () => losses.triplet_ranking(q, rand(0, 3), mask, mask));
        Refused<ArgumentException>("expected a matrix (M ≥ 1, 3), got 2 dimensions (4, 2)", () => losses.triplet_ranking(q, rand(4, 2), mask, mask));
        Refused<ArgumentException>("expected Float32 on cpu, got Float64 on cpu", () => losses.triplet_ranking(q, d.to(ScalarType.Float64), mask, mask));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64", () => losses.triplet_ranking(q.to(ScalarType.Int64), d, mask, mask));
        Refused<ArgumentException>("expected the shape (2, 4), got 2 dimensions (4, 2)", () => losses.triplet_ranking(q, d, mask.t(), mask));
        Refused<ArgumentException>("expected Bool on cpu, got Int64 on cpu (Parameter 'negatives')", () => losses.triplet_ranking(q, d, mask, mask.to(ScalarType.Int64)));
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => losses.triplet_ranking(q, d, mask, mask, -0.1));
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => losses.triplet_ranking(q, d, mask, mask, double.NaN));
        Refused<ArgumentNullException>("positives", () => losses.triplet_ranking(q, d, null!, mask));
    }

    /// <summary>Equation 7 of the paper.</summary>
    private static double Loops(Tensor queries, Tensor database, Tensor positives, Tensor negatives, double margin)
    {
        var (q, d, isPositive, isNegative) = (Rows(queries), Rows(database), Marks(positives), Marks(negatives));
        double sum = 0;
        for (var i = 0; i < q.Length; i++)
        {
            var nearest = double.PositiveInfinity;
            for (var j = 0; j < d.Length; j++)
            {
                nearest = isPositive[i][j] ? Math.Min(nearest, Squared(q[i], d[j])) : nearest;
            }

            for (var j = 0; j < d.Length && double.IsFinite(nearest); j++)
            {
                sum += isNegative[i][j] ? Math.Max(0, nearest + margin - Squared(q[i], d[j])) : 0;
            }
        }

        return sum / q.Length;
    }
}
