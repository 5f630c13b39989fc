using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class SPoCTests
{
    [Fact]
    public void It_is_the_sum_with_its_sign()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2, 3, -4, -5, 6 }).reshape(1, 2, 1, 3);
        Assert.Equal([6f, -3], new SPoC().call(x).data<float>().ToArray());
    }

    [Fact]
    public void The_prior_of_a_3_by_3_map_weighs_by_powers_of_e()
    {
        using var scope = NewDisposeScope();
        var y = new SPoC(center_prior: true).call(ones(1, 1, 3, 3, dtype: ScalarType.Float64));   // σ = ½: exp(−2d²)
        Assert.Equal(1 + 4 * Math.Exp(-2) + 4 * Math.Exp(-4), y.ToDouble(), 1e-14);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 7)]
    [InlineData(9, 2)]
    public void The_prior_is_the_paper_s_Gaussian(int h, int w)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, h, w, dtype: ScalarType.Float64);
        var expected = zeros(2, 3, 1, 1, dtype: ScalarType.Float64);
        var sigma = Math.Min(h / 2.0, w / 2.0) / 3;   // from the centre to the nearest border
        for (var i = 0; i < h; i++)
        {
            for (var j = 0; j < w; j++)
            {
                var (dy, dx) = (i + 0.5 - h / 2.0, j + 0.5 - w / 2.0);
                expected += x[.., .., i..(i + 1), j..(j + 1)] * Math.Exp(-(dy * dy + dx * dx) / (2 * sigma * sigma));
            }
        }

        Tolerance.AssertClose(expected, pooling.spoc(x, center_prior: true));
    }

    [Fact]
    public void A_half_precision_sum_is_infinite_only_beyond_the_dtype()
    {
        using var scope = NewDisposeScope();
        var x = full(1, 1, 8, 8, 1000, dtype: ScalarType.Float16);   // 64000
        Assert.Equal(64000, pooling.spoc(x).to(ScalarType.Float32).ToSingle());
        Assert.Equal(float.PositiveInfinity, pooling.spoc(x * 2).to(ScalarType.Float32).ToSingle());
    }
}
