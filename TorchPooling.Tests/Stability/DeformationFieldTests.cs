using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Stability;

public class DeformationFieldTests
{
    [Theory]
    [InlineData(9, 13, 3, 0.7)]
    [InlineData(16, 16, 14, 2)]
    [InlineData(4, 7, 2, 0)]
    public void The_border_stays_and_the_length_is_as_asked(long height, long width, long band, double displacement)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var fields = warps.deformation_field(5, height, width, band, displacement, generator, dtype: ScalarType.Float64);
        Assert.Equal([5, 2, height, width], fields.shape);
        foreach (var edge in new[] { fields.select(2, 0), fields.select(2, height - 1), fields.select(3, 0), fields.select(3, width - 1) })
        {
            Assert.Equal(0, edge.abs().max().ToDouble());
        }

        for (var n = 0; n < 5; n++)
        {
            var squares = fields[n].square().sum().ToDouble();
            Assert.Equal(displacement, Math.Sqrt(squares / (height * width)), 1e-12);
        }
    }

    [Fact]
    public void The_sine_transform_has_the_band_alone_and_all_of_it()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        const int Height = 11, Width = 14, Band = 5;
        var field = warps.deformation_field(1, Height, Width, Band, 1, generator, dtype: ScalarType.Float64)[0];
        var values = field.contiguous().data<double>().ToArray();
        for (var part = 0; part < 2; part++)
        {
            for (var i = 1; i < Height - 1; i++)
            {
                for (var j = 1; j < Width - 1; j++)
                {
                    double sum = 0;   // 4/((H−1)(W−1)) Σ d sin sin: the modes are orthogonal
                    for (var h = 0; h < Height; h++)
                    {
                        for (var w = 0; w < Width; w++)
                        {
                            sum += values[(part * Height + h) * Width + w] * Math.Sin(i * Math.PI * h / (Height - 1)) * Math.Sin(j * Math.PI * w / (Width - 1));
                        }
                    }

                    var amplitude = 4 * Math.Abs(sum) / ((Height - 1) * (Width - 1));
                    Assert.True(i * i + j * j <= Band * Band ? amplitude > 1e-6 : amplitude < 1e-12, $"{amplitude} at {i}, {j}");
                }
            }
        }
    }

    /// <summary>The squares of the amplitudes of the modes fall as 1/(i² + j²): of two modes of one field, whose common factor cancels.</summary>
    [Fact]
    public void Amplitudes_fall_with_the_frequency()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        const int Fields = 4000;
        var fields = warps.deformation_field(Fields, 9, 9, 4, 1, generator, dtype: ScalarType.Float64);
        var (low, high) = (Amplitudes(fields, 1, 1), Amplitudes(fields, 2, 3));

        // c₁₁²/2-to-one against c₂₃²: ratio of equal normal numbers' squares after the weights 2 and 13 is above 1 in half of the draws.
        var above = ((low.square() * 2) > (high.square() * 13)).to(ScalarType.Float64).mean().ToDouble();
        Assert.InRange(above, 0.5 - 5 * 0.5 / Math.Sqrt(2 * Fields), 0.5 + 5 * 0.5 / Math.Sqrt(2 * Fields));   // five standard errors
        Assert.InRange((low * high).mean().ToDouble() / (low.square().mean() * high.square().mean()).sqrt().ToDouble(), -0.06, 0.06);   // independent
    }

    [Fact]
    public void Its_mean_gradient_is_within_the_bound()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        foreach (var (side, band, displacement) in new[] { (16L, 14L, 3.0), (32, 3, 1), (20, 2, 0.5) })
        {
            var field = warps.deformation_field(20, side, side, band, displacement, generator, dtype: ScalarType.Float64);
            var steps = field.diff(dim: 2).square().sum([1, 2, 3]) + field.diff(dim: 3).square().sum([1, 2, 3]);
            Assert.True((steps / (side * side)).sqrt().max().ToDouble() <= Math.PI * band * displacement / (side - 1));
        }
    }

    [Fact]
    public void A_seed_repeats_it_and_every_draw_is_another()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (Field(7), Field(7));
        Tolerance.AssertClose(first, second, 0);
        Assert.True((first[0] - first[1]).abs().max().ToDouble() > 0.1);
        Assert.True((first - Field(8)).abs().max().ToDouble() > 0.1);

        static Tensor Field(ulong seed)
        {
            using var generator = new Generator(seed);
            var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            var field = warps.deformation_field(2, 12, 12, 4, 1, generator);
            Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
            Assert.Equal(ScalarType.Float32, field.dtype);
            return field;
        }
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        Assert.Contains("expected 4 to", Assert.Throws<ArgumentOutOfRangeException>("height", () => warps.deformation_field(1, 3, 9, 2, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 4 to", Assert.Throws<ArgumentOutOfRangeException>("width", () => warps.deformation_field(1, 9, 3, 2, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 2 to 4", Assert.Throws<ArgumentOutOfRangeException>("band", () => warps.deformation_field(1, 9, 6, 5, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 2 to 4", Assert.Throws<ArgumentOutOfRangeException>("band", () => warps.deformation_field(1, 9, 6, 1, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("not negative", Assert.Throws<ArgumentOutOfRangeException>("displacement", () => warps.deformation_field(1, 9, 6, 2, -1)).Message, StringComparison.Ordinal);
        var generator = new Generator(1);
        generator.Dispose();
        Assert.Contains("not disposed", Assert.Throws<ArgumentException>("generator", () => warps.deformation_field(1, 9, 6, 2, 1, generator)).Message, StringComparison.Ordinal);
    }

    /// <summary>Of both components, up to a factor.</summary>
    private static Tensor Amplitudes(Tensor fields, int i, int j)
    {
        var places = arange(fields.size(2), dtype: ScalarType.Float64) * (Math.PI / (fields.size(2) - 1));
        return ((places * i).sin().unsqueeze(1) * (places * j).sin() * fields).sum([2, 3]).flatten();
    }
}
