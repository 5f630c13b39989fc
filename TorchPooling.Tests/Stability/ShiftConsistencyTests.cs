using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Stability;

public class ShiftConsistencyTests
{
    [Fact]
    public void A_global_average_decides_alike_for_all_circular_shifts()
    {
        using var scope = NewDisposeScope();
        using var network = new Classifier(x => x.mean([2, 3]));
        using var generator = new Generator(1);
        var x = Seeded.Normal(1, [5, 3, 6, 8], ScalarType.Float64);
        Assert.Equal(1, stability.shift_consistency(network, x, 5));
        Assert.Equal(1, stability.shift_consistency(network, x, 5, pairs: 12, generator: generator));
        Assert.True(stability.shift_consistency(network, x, 5, wrap: false) < 1);   // windows of another content
    }

    [Fact]
    public void A_reader_of_one_pixel_by_hand()
    {
        using var scope = NewDisposeScope();
        using var network = new Classifier(x => x.select(2, 0).select(2, 0));
        var x = zeros(2, 2, 3, 4);
        x[.., 0] = 0.5;

        // Shifts by 0 to 2 bring the pixels of the rows 0, 2, 1 and the columns 0, 3, 2 to the corner. Class 1 holds one of these nine
        // pixels of the first image, (0, 3), and none of the second: (64 + 1)/81 and 1.
        x[0, 1, 0, 3] = 1;
        x[0, 1, 0, 1] = 1;   // comes to the corner by a shift of 3 only
        Assert.Equal((65 / 81.0 + 1) / 2, stability.shift_consistency(network, x, 2), 1e-12);

        // Windows of 1×2 pixels: the corner is at the rows and columns 0 to 2, where class 1 holds (0, 1) of the nine.
        Assert.Equal((65 / 81.0 + 1) / 2, stability.shift_consistency(network, x, 2, wrap: false), 1e-12);
        x[0, 1, 0, 1] = 0;
        Assert.Equal(1, stability.shift_consistency(network, x, 2, wrap: false), 1e-12);
    }

    [Fact]
    public void Scores_of_NaN_decide_nothing()
    {
        using var scope = NewDisposeScope();
        using var network = new Classifier(x => x.mean([2, 3]));
        var x = Seeded.Normal(1, [3, 2, 4, 4]);
        x[1, 0, 2, 2] = float.NaN;
        Assert.Equal(double.NaN, stability.shift_consistency(network, x, 3));
        Assert.Equal(double.NaN, stability.shift_consistency(network, x, 3, pairs: 2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Drawn_pairs_come_to_the_share_of_all_pairs(bool wrap)
    {
        using var scope = NewDisposeScope();
        using var network = new Classifier(x => x.select(2, 0).select(2, 0));
        var x = Seeded.Normal(1, [20, 3, 16, 17]);
        var exact = stability.shift_consistency(network, x, 15, wrap);
        Assert.Equal(exact, stability.shift_consistency(network, x, 15, wrap, pairs: 128));   // 256 runs either way
        Assert.Equal(exact, stability.shift_consistency(network, x, 15, wrap, pairs: long.MaxValue));
        var drawn = Drawn(1);
        var error = Math.Sqrt(exact * (1 - exact) / (100 * 20));   // at most: the images are strata
        Assert.InRange(drawn, exact - 5 * error, exact + 5 * error);
        Assert.InRange(exact, 0.2, 0.8);
        Assert.Equal(drawn, Drawn(1));
        Assert.NotEqual(drawn, Drawn(2));

        double Drawn(ulong seed)
        {
            using var generator = new Generator(seed);
            return stability.shift_consistency(network, x, 15, wrap, pairs: 100, generator);
        }
    }

    [Fact]
    public void No_tensor_stays_and_the_images_are_not_changed()
    {
        using var scope = NewDisposeScope();
        using var network = new Classifier(x => x.zero_().sum([2, 3]));
        var x = Seeded.Normal(1, [3, 2, 4, 4]);
        var kept = x.clone();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        stability.shift_consistency(network, x, 1);
        stability.shift_consistency(network, x, 1, wrap: false);
        stability.shift_consistency(network, x, 2, pairs: 2);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        Tolerance.AssertClose(kept, x, 0);
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        using var network = new Classifier(x => x.mean([2, 3]));
        using var maps = nn.Identity();
        var x = zeros(2, 3, 4, 5);
        Assert.Contains("expected 1 to 3", Assert.Throws<ArgumentOutOfRangeException>("max_shift", () => stability.shift_consistency(network, x, 4)).Message, StringComparison.Ordinal);
        Assert.Contains("expected 1 to", Assert.Throws<ArgumentOutOfRangeException>("pairs", () => stability.shift_consistency(network, x, 1, pairs: 0)).Message, StringComparison.Ordinal);
        Assert.Contains("expected images, got (0, 3, 4, 5)", Assert.Throws<ArgumentException>("images", () => stability.shift_consistency(network, x[..0], 1)).Message, StringComparison.Ordinal);
        var refusal = Assert.Throws<ArgumentException>("classifier", () => stability.shift_consistency(maps, x, 1));
        Assert.Contains("expected a classifier that gives scores (2, K), got Float32 (2, 3, 4, 5)", refusal.Message, StringComparison.Ordinal);
        var generator = new Generator(1);
        generator.Dispose();
        Assert.Throws<ArgumentException>("generator", () => stability.shift_consistency(network, x, 1, pairs: 1, generator: generator));
    }

    private sealed class Classifier(Func<Tensor, Tensor> scores) : nn.Module<Tensor, Tensor>(nameof(Classifier))
    {
        public override Tensor forward(Tensor x) => scores(x).clone();
    }
}
