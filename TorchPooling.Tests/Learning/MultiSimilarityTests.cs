using static TorchPooling.Tests.Learning.LossTesting;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

public class MultiSimilarityTests
{
    private static readonly long[] Labels = [0, 1, 0, 2, 1, 1, 0, 3, 2, 0];

    [Theory]
    [InlineData(2, 50, 0.5, 0.1)]
    [InlineData(2, 40, 1, 0)]
    [InlineData(5, 3, -0.2, 10)]
    public void The_loss_equals_the_loops_of_the_paper(double alpha, double beta, double lambda, double epsilon)
    {
        using var scope = NewDisposeScope();
        var x = nn.functional.normalize(Random(1, 10, 6), dim: 1);
        var labels = tensor(Labels);
        var expected = Loops(Rows(x), Labels, alpha, beta, lambda, epsilon);
        Assert.Equal(expected, losses.multi_similarity(x, labels, alpha, beta, lambda, epsilon).ToDouble(), 1e-12);
        AssertGradients(v => losses.multi_similarity(v[0], labels, alpha, beta, lambda, epsilon), x);
        AssertNoLeak(v => losses.multi_similarity(v[0], labels, alpha, beta, lambda, epsilon), x);
    }

    [Fact]
    public void Mining_drops_pairs()
    {
        // The case above with a small epsilon would not differ from all pairs unless some are dropped.
        using var scope = NewDisposeScope();
        var x = nn.functional.normalize(Random(1, 10, 6), dim: 1);
        var mined = losses.multi_similarity(x, tensor(Labels), epsilon: 0).ToDouble();
        Assert.True(losses.multi_similarity(x, tensor(Labels), epsilon: 4).ToDouble() > mined + 1e-3);
    }

    [Fact]
    public void A_hand_computed_batch()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[,] { { 1, 0 }, { 0, 1 }, { 0.6f, 0.8f } });
        var labels = tensor(new long[] { 0, 0, 1 });

        // Anchors 1 and 2: positive S = 0, negative S = 0.6 and 0.8, both kept. Anchor 3 has no positive: 0.
        var expected = (2 * Math.Log(1 + Math.E) / 2 + (Math.Log(1 + Math.Exp(1)) + Math.Log(1 + Math.Exp(3))) / 10) / 3;
        Assert.Equal(expected, losses.multi_similarity(x, labels, beta: 10).ToDouble(), 1e-6);

        // Turned: S = 1 to the positive, −1 to the negative: nothing within epsilon, all mined away.
        var apart = tensor(new float[,] { { 1, 0 }, { 1, 0 }, { -1, 0 } });
        Assert.Equal(0, Finite(v => losses.multi_similarity(v[0], labels), apart));
    }

    [Fact]
    public void Large_similarities_do_not_overflow()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[,] { { 30, 0 }, { 0, 30 }, { 30, 0 } });
        var labels = tensor(new long[] { 0, 0, 1 });

        // Anchor 1: positive 0, negative 900; exp(50·899.5) overflows, its logarithm does not. Anchor 2: negative 0.
        var expected = (2 * Math.Log(1 + Math.E) / 2 + 899.5 + Math.Log(1 + Math.Exp(-25)) / 50) / 3;
        Assert.Equal(expected, Finite(v => losses.multi_similarity(v[0], labels), x), 1e-3);
    }

    [Fact]
    public void Equal_and_zero_vectors_have_finite_gradients_and_batches_without_pairs_are_0()
    {
        using var scope = NewDisposeScope();
        var labels = tensor(new long[] { 0, 0, 1 });
        var expected = Math.Log(1 + Math.E) / 2 * 2 + Math.Log(1 + Math.Exp(-25)) / 50 * 2;
        Assert.Equal(expected / 3, Finite(v => losses.multi_similarity(v[0], labels), zeros(3, 4)), 1e-6);
        Finite(v => losses.multi_similarity(v[0], labels), ones(3, 4) / 2);
        Assert.Equal(0, Finite(v => losses.multi_similarity(v[0], zeros(0, dtype: ScalarType.Int64)), zeros(0, 4)));
        Assert.Equal(0, Finite(v => losses.multi_similarity(v[0], zeros(1, dtype: ScalarType.Int64)), rand(1, 4)));
        Assert.Equal(0, Finite(v => losses.multi_similarity(v[0], zeros(3, dtype: ScalarType.Int64)), rand(3, 4)));      // no negatives
        Assert.Equal(0, Finite(v => losses.multi_similarity(v[0], arange(3, dtype: ScalarType.Int64)), rand(3, 4)));     // no positives
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Half_precision_is_widened(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var x = nn.functional.normalize(Random(1, 10, 6), dim: 1).to(dtype);
        var loss = losses.multi_similarity(x, tensor(Labels));
        Assert.Equal(ScalarType.Float32, loss.dtype);
        Assert.Equal(Loops(Rows(x), Labels, 2, 50, 0.5, 0.1), loss.ToDouble(), 1e-5);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var (x, labels) = (rand(2, 3), zeros(2, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected descriptors (M, D ≥ 1), got 1 dimensions (3)", () => losses.multi_similarity(rand(3), labels));
        Refused<ArgumentException>("expected the shape (2), got 2 dimensions (2, 1)", () => losses.multi_similarity(x, labels.unsqueeze(1)));
        Refused<ArgumentException>("expected Int64 on cpu, got Int32 on cpu", () => losses.multi_similarity(x, labels.to(ScalarType.Int32)));
        Refused<ArgumentOutOfRangeException>("expected a positive, finite number (Parameter 'alpha')", () => losses.multi_similarity(x, labels, alpha: 0));
        Refused<ArgumentOutOfRangeException>("expected a positive, finite number (Parameter 'beta')", () => losses.multi_similarity(x, labels, beta: -1));
        Refused<ArgumentOutOfRangeException>("expected a finite number (Parameter 'lambda')", () => losses.multi_similarity(x, labels, lambda: double.NaN));
        Refused<ArgumentOutOfRangeException>("that is not negative (Parameter 'epsilon')", () => losses.multi_similarity(x, labels, epsilon: -0.1));
    }

    /// <summary>The paper's mining and its loss.</summary>
    private static double Loops(double[][] x, long[] labels, double alpha, double beta, double lambda, double epsilon)
    {
        double loss = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
            for (var j = 0; j < x.Length; j++)
            {
                least = j != i && labels[j] == labels[i] ? Math.Min(least, Dot(x[i], x[j])) : least;
                most = labels[j] != labels[i] ? Math.Max(most, Dot(x[i], x[j])) : most;
            }

            var (attracted, repelled) = (1.0, 1.0);
            for (var j = 0; j < x.Length; j++)
            {
                var s = Dot(x[i], x[j]);
                attracted += j != i && labels[j] == labels[i] && s < most + epsilon ? Math.Exp(-alpha * (s - lambda)) : 0;
                repelled += labels[j] != labels[i] && s > least - epsilon ? Math.Exp(beta * (s - lambda)) : 0;
            }

            loss += Math.Log(attracted) / alpha + Math.Log(repelled) / beta;
        }

        return loss / x.Length;
    }
}
