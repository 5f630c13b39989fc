using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class CroWTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();

        // S = (9, 12, 0, 0), ‖S‖ = 15, α = (√0.6, √0.8, 0, 0); Q = (½, ¼), I = (log 1.5, log 3).
        var x = tensor(new double[] { 4, 12, 0, 0, 5, 0, 0, 0 }).reshape(1, 2, 2, 2);
        var expected = tensor(new[]
        {
            Math.Log(1.5) * (4 * Math.Sqrt(0.6) + 12 * Math.Sqrt(0.8)),
            Math.Log(3) * 5 * Math.Sqrt(0.6),
        }).reshape(1, 2, 1, 1);
        Tolerance.AssertClose(expected, new CroW().call(x));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 4)]
    [InlineData(2, 9)]
    public void It_equals_the_loop_of_the_paper(int h, int w)
    {
        using var scope = NewDisposeScope();
        var x = randn(3, 6, h, w, dtype: ScalarType.Float64).relu();
        Tolerance.AssertClose(Loop(x), pooling.crow(x));
    }

    [Fact]
    public void Negative_activations_count_as_zero()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 5, 4, 4);
        Tolerance.AssertClose(pooling.crow(x.relu()), pooling.crow(x), 0);
    }

    [Fact]
    public void A_single_channel_and_channels_that_are_nowhere_positive_give_zero()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, pooling.crow(rand(1, 1, 3, 3)).ToSingle());
        var x = rand(1, 3, 3, 3);
        x[0, 1] = 0;
        var y = pooling.crow(x);
        Assert.Equal(0, y[0, 1].ToSingle());
        Assert.True(y[0, 0].ToSingle() > 0);
    }

    [Fact]
    public void An_empty_position_takes_no_gradient_and_spoils_none()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 3, 2, 2, dtype: ScalarType.Float64) + 0.1;
        x[.., .., 0, 1] = 0;
        x.requires_grad_();
        pooling.crow(x).sum().backward();
        Assert.Equal(0, x.grad![.., .., 0, 1].abs().max().ToDouble());

        using var gradients = no_grad();
        const double step = 1e-6;
        var (above, below) = (x.clone(), x.clone());
        above[0, 2, 1, 1] += step;
        below[0, 2, 1, 1] -= step;
        var slope = (pooling.crow(above) - pooling.crow(below)).sum().ToDouble() / (2 * step);
        Assert.Equal(slope, x.grad![0, 2, 1, 1].ToDouble(), 1e-7);
    }

    /// <summary>The weights of the paper: a = b = 2, ε = 0, with scalar loops.</summary>
    private static Tensor Loop(Tensor x)
    {
        var (n, c, m) = ((int)x.size(0), (int)x.size(1), (int)(x.size(2) * x.size(3)));
        var result = new double[n * c];
        for (var image = 0; image < n; image++)
        {
            var values = x[image].reshape(c, m);
            double At(int k, int i) => values[k, i].ToDouble();
            var s = Enumerable.Range(0, m).Select(i => Enumerable.Range(0, c).Sum(k => At(k, i))).ToArray();
            var norm = Math.Sqrt(s.Sum(value => value * value));
            var q = Enumerable.Range(0, c).Select(k => Enumerable.Range(0, m).Count(i => At(k, i) > 0) / (double)m).ToArray();
            for (var k = 0; k < c; k++)
            {
                var sum = Enumerable.Range(0, m).Sum(i => norm > 0 ? Math.Sqrt(s[i] / norm) * At(k, i) : 0);
                result[image * c + k] = q[k] > 0 ? Math.Log(q.Sum() / q[k]) * sum : 0;
            }
        }

        return tensor(result).reshape(n, c, 1, 1);
    }
}
