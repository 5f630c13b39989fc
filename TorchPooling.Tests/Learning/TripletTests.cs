using static TorchPooling.Tests.Learning.LossTesting;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

public class TripletTests
{
    [Fact]
    public void The_loss_equals_the_loop_of_the_paper()
    {
        using var scope = NewDisposeScope();
        var (a, p, n) = (Random(1, 12, 5), Random(2, 12, 5), Random(3, 12, 5));
        var (rows, near, far) = (Rows(a), Rows(p), Rows(n));
        double sum = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            sum += Math.Max(0, Squared(rows[i], near[i]) - Squared(rows[i], far[i]) + 0.3);
        }

        Assert.True(sum > 1);
        Assert.Equal(sum / 12, losses.triplet(a, p, n, 0.3).ToDouble(), 1e-12);
        AssertGradients(x => losses.triplet(x[0], x[1], x[2], 0.3), a, p, n);
        AssertNoLeak(x => losses.triplet(x[0], x[1], x[2]), a, p, n);
    }

    [Fact]
    public void Hand_computed_triplets()
    {
        using var scope = NewDisposeScope();
        var a = zeros(2, 2);
        var p = tensor(new float[,] { { 0, 2 }, { 1, 0 } });
        var n = tensor(new float[,] { { 1, 0 }, { 0, 2 } });

        // 4 − 1 + 0.5 = 3.5, and 1 − 4 + 0.5 < 0. Not squared it would be (2 − 1 + 0.5) / 2.
        Assert.Equal(1.75, losses.triplet(a, p, n, 0.5).ToDouble(), 1e-6);
        Assert.Equal(0.2, Finite(x => losses.triplet(x[0], x[1], x[2]), a, a, a), 1e-6);
        Assert.Equal(0, Finite(x => losses.triplet(x[0], x[1], x[2]), zeros(0, 2), zeros(0, 2), zeros(0, 2)));

        var half = losses.triplet(a.to(ScalarType.Float16), p.to(ScalarType.Float16) * 300, n.to(ScalarType.Float16));
        Assert.Equal(ScalarType.Float32, half.dtype);
        Assert.Equal((360000 - 1 + 0.2 + 90000 - 4 + 0.2) / 2, half.ToDouble(), 0.1);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var x = rand(2, 3);
        Refused<ArgumentException>("expected descriptors (M, D ≥ 1), got 3 dimensions (2, 3, 1)", () => losses.triplet(x.unsqueeze(2), x, x));
        Refused<ArgumentException>("expected the shape (2, 3), got 2 dimensions (1, 3) (Parameter 'negatives')", () => losses.triplet(x, x, x[..1]));
        Refused<ArgumentException>("expected Float32 on cpu, got Float64 on cpu (Parameter 'positives')", () => losses.triplet(x, x.to(ScalarType.Float64), x));
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => losses.triplet(x, x, x, double.PositiveInfinity));
    }
}
