using static TorchPooling.Tests.Learning.LossTesting;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

public class ContrastiveTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(3)]
    public void The_loss_equals_the_loop_of_the_paper(double margin)
    {
        using var scope = NewDisposeScope();
        var x = Random(1, 9, 5);
        var labels = tensor(new long[] { 0, 1, 0, 2, 1, 1, 0, 3, 2 });
        var (rows, shown) = (Rows(x), labels.data<long>().ToArray());
        double sum = 0;
        for (var i = 0; i < 9; i++)
        {
            for (var j = i + 1; j < 9; j++)
            {
                var distance = Math.Sqrt(Squared(rows[i], rows[j]));
                var (y, repelled) = (shown[i] == shown[j] ? 0 : 1, Math.Max(0, margin - distance));
                sum += (1 - y) * distance * distance / 2 + y * repelled * repelled / 2;
            }
        }

        Assert.Equal(sum / 36, losses.contrastive(x, labels, margin).ToDouble(), 1e-12);
        AssertGradients(v => losses.contrastive(v[0], labels, margin), x);
        AssertNoLeak(v => losses.contrastive(v[0], labels, margin), x);
    }

    [Fact]
    public void Hand_computed_pairs()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[,] { { 0, 0 }, { 3, 4 }, { 0, 2 } });

        // Pairs: equal labels at d = 5: 12.5; different at d = 2: ½·(3 − 2)² = 0.5; different at d = √13 > 3: 0.
        Assert.Equal(13.0 / 3, losses.contrastive(x, tensor(new long[] { 7, 7, -1 }), 3).ToDouble(), 1e-6);
    }

    [Fact]
    public void Equal_vectors_have_a_zero_gradient()
    {
        using var scope = NewDisposeScope();
        var labels = tensor(new long[] { 0, 0, 1 });
        foreach (var x in new[] { zeros(3, 4), ones(3, 4) * 1e-20, full(3, 4, 1e4) })
        {
            var leaf = x.requires_grad_();
            var loss = losses.contrastive(leaf, labels, 2);
            loss.backward();
            Assert.Equal(4.0 / 3, loss.ToDouble(), 1e-6);   // two of three pairs at ½·2²
            Assert.Equal(0, leaf.grad!.abs().max().ToDouble());
        }
    }

    [Fact]
    public void Fewer_than_two_vectors_are_0_and_half_precision_is_widened()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, Finite(x => losses.contrastive(x[0], zeros(1, dtype: ScalarType.Int64)), rand(1, 3)));
        Assert.Equal(0, Finite(x => losses.contrastive(x[0], zeros(0, dtype: ScalarType.Int64)), rand(0, 3)));
        var x = tensor(new float[,] { { 0, 0 }, { 300, 400 } });
        foreach (var dtype in new[] { ScalarType.Float16, ScalarType.BFloat16 })
        {
            var loss = losses.contrastive(x.to(dtype), zeros(2, dtype: ScalarType.Int64));
            Assert.Equal((ScalarType.Float32, 125000.0), (loss.dtype, loss.ToDouble()));
        }
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var (x, labels) = (rand(2, 3), zeros(2, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected descriptors (M, D ≥ 1), got 2 dimensions (2, 0)", () => losses.contrastive(rand(2, 0), labels));
        Refused<ArgumentException>("expected the shape (2), got 1 dimensions (3)", () => losses.contrastive(x, zeros(3, dtype: ScalarType.Int64)));
        Refused<ArgumentException>("expected Int64 on cpu, got Float32 on cpu (Parameter 'labels')", () => losses.contrastive(x, zeros(2)));
        Refused<ArgumentOutOfRangeException>("expected a positive, finite number", () => losses.contrastive(x, labels, 0));
    }
}
