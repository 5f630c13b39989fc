using Stability.Claims;
using Stability.Measures;
using Stability.Model;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>The laboratory's own measures, on inputs whose answer is known.</summary>
[Collection(nameof(AloneCollection))]
public class StabilityClaimsTests
{
    [Fact]
    public void The_notes_example_holds_within_a_window_and_not_beyond_its_border()
    {
        var rows = TranslationExample.Rows();
        Assert.Equal(
            [[5], [5], [1], [5, 0], [5, 3], [1, 5]],
            rows.Select(row => row.Max));
        Assert.Equal(3f, rows[0].Mean[0]);
        Assert.Equal(2f, rows[1].Mean[0]);
        foreach (var share in TranslationExample.Shares())
        {
            Assert.Equal((share.Window - 1.0) / (share.Window + 1), share.Expected);
            Assert.Equal(share.Expected, share.Measured, 0.01);   // 100,000 windows: a standard error of 0.0016 at most
        }
    }

    [Fact]
    public void Values_are_kept_within_a_tenth()
    {
        using var scope = NewDisposeScope();
        var before = tensor(new float[] { 10, 1, 10, 1, 0, 0, 4, 0 }).view(1, 1, 2, 4);
        var after = tensor(new float[] { 10.5f, 9, 12, 1, 0, 0, 4, 0 }).view(1, 1, 2, 4);

        // Maxima (10, 10) become (10.5, 12): one of two within a tenth. Means (11/4, 15/4) become (19.5/4, 17/4).
        var max = Retention.Compare(nn.MaxPool2d(2), 2, before, after);
        Assert.Equal(0.5, max.Kept);
        Assert.Equal(Math.Sqrt(0.25 + 4) / Math.Sqrt(200), max.Change, 6);
        var mean = Retention.Compare(nn.AvgPool2d(2), 2, before, after);
        Assert.Equal(0, mean.Kept);
        Assert.Equal(Math.Sqrt((8.5 * 8.5) + 4) / Math.Sqrt(121 + 225), mean.Change, 6);

        // The second window does not change: of the first, 10.5 is near to 10, the mean of 5 is not near to 11/4.
        var left = cat([after.narrow(3, 0, 2), before.narrow(3, 2, 2)], 3);
        Assert.Equal((1, 0), (Retention.Compare(nn.MaxPool2d(2), 2, before, left).Kept, Retention.Compare(nn.AvgPool2d(2), 2, before, left).Kept));
    }

    [Fact]
    public void Signal_to_noise_is_that_of_the_correlation()
    {
        using var scope = NewDisposeScope();
        var target = tensor(new double[] { 1, -1, 1, -1 });
        var noise = tensor(new double[] { 1, 1, -1, -1 });   // orthogonal to it
        Assert.Equal(10 * Math.Log10(4), TextureAndBackground.Decibels((2 * target) + noise + 3, target), 9);
        Assert.Equal(0, TextureAndBackground.Decibels(target - noise, target), 9);
    }

    [Fact]
    public void The_shift_of_a_mean_is_in_deviations_of_its_channel()
    {
        using var scope = NewDisposeScope();
        var right = tensor(new float[] { 0, 2, 5, 5, 0, 4 }).view(1, 3, 1, 2);   // deviations √2, 0 and √8
        var wrong = tensor(new float[] { 1, 3, 9, 9, -1, 3 }).view(1, 3, 1, 2);
        Assert.Equal(((1 / Math.Sqrt(2)) + (1 / Math.Sqrt(8))) / 2, TextureAndBackground.MeanShift(right, wrong, right), 6);
        Assert.Equal(((1 / Math.Sqrt(2)) + (1 / Math.Sqrt(8))) / 4, TextureAndBackground.MeanShift(right, wrong, 2 * right), 6);
    }

    [Fact]
    public void Linear_guesses_are_right_of_what_is_linear()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var x = randn([120, 5], dtype: ScalarType.Float64, generator: generator);
        var linear = x.matmul(randn([5, 2], dtype: ScalarType.Float64, generator: generator)) + 7;
        Assert.InRange(Ridge.Of(x, linear, 80).Explained, 0.9999, 1);
        Assert.InRange(Ridge.Of(x, linear, 80).Error, 0, 0.01);
        Assert.Equal(40, Ridge.Of(x, linear, 80).Squares.Count);
        var unrelated = randn([120, 2], dtype: ScalarType.Float64, generator: generator);
        Assert.InRange(Ridge.Of(x, unrelated, 80).Explained, -0.5, 0.2);
        Assert.True(double.IsNaN(Ridge.Of(x, linear, 19).Explained));   // five features ask for twenty rows
    }

    [Fact]
    public void Errors_of_a_guess_add_up()
    {
        var guess = new Ridge([1, 4, 7], 24);
        Assert.Equal((0.5, 2), (guess.Explained, guess.Error));
    }

    [Fact]
    public void A_spot_lies_where_it_is_said()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var (images, places) = Overlap.Spots(20, 24, generator);
        var axis = arange(24, dtype: ScalarType.Float32);
        var mass = images.clamp_min(0.1).sub(0.1).squeeze(1);   // without the noise
        var rows = (mass.sum(2) * axis).sum(1) / mass.sum([1, 2]);
        Assert.True((rows - places.select(1, 0)).abs().max().item<float>() < 0.2);
        Assert.True(places.min().item<float>() >= 4 && places.max().item<float>() <= 19);
    }

    [Fact]
    public void Smooth_filters_are_white_noise_under_a_Gaussian_and_as_large_as_before()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var filters = SmoothStart.Filters([400, 25, 3, 3], 1);
        Assert.Equal(1, filters.square().mean().item<float>(), 5);

        // The autocorrelation of a Gaussian of deviation σ is a Gaussian of deviation √2·σ: e^(−1/4σ²) between neighbours.
        var neighbors = (filters.narrow(3, 0, 2) * filters.narrow(3, 1, 2)).mean().item<float>();
        Assert.Equal(Math.Exp(-0.25), neighbors, 0.03);

        using var rough = new VggBackbone([[8], [16]], in_channels: 1);
        var before = rough.parameters().First(weight => weight.dim() == 4).square().mean().item<float>();
        var roughness = stability.total_variation(rough.parameters().First(weight => weight.dim() == 4));
        SmoothStart.Apply(rough, 2);
        var after = rough.parameters().First(weight => weight.dim() == 4);
        Assert.Equal(before, after.square().mean().item<float>(), 5);
        Assert.True(stability.total_variation(after) < roughness / 2);
    }

    [Fact]
    public void Glyphs_turn_as_they_are_told()
    {
        using var scope = NewDisposeScope();
        var (images, isFirst) = Glyphs.Draw(200, 180, seed: 1);
        Assert.Equal([200, 1, Glyphs.Side, Glyphs.Side], images.shape);
        Assert.InRange(isFirst.mean().item<float>(), 0.35, 0.65);
        var turned = Glyphs.Turned([0, 90], 200, seed: 3).view(2, 200, Glyphs.Side, Glyphs.Side).mean([1]);   // noise and places average out
        var (upright, left) = (turned[0], turned[1]);
        Assert.True((upright.rot90(1, (0, 1)) - left).square().mean().item<float>() < 0.2 * (upright - left).square().mean().item<float>());
    }

    [Fact]
    public void A_seed_starts_all_networks_alike()
    {
        foreach (var start in new[] { Start.White, new Start(1) })
        {
            var first = Weights(PoolingKind.Max, start, 1);
            foreach (var pooling in PoolingKind.All)
            {
                Assert.Equal(first, Weights(pooling, start, 1));
            }

            Assert.All(first.Zip(Weights(PoolingKind.Max, start, 2)), pair => Assert.NotEqual(pair.First, pair.Second));
            Assert.Equal(Weights(PoolingKind.Max, Start.White, 1)[^1], first[^1]);   // the linear layer, whatever the start
        }

        static double[] Weights(PoolingKind pooling, Start start, int seed)
        {
            using var network = new Network(pooling, start, seed, 24, 10, CPU);
            using var none = no_grad();
            using var scope = NewDisposeScope();
            var linear = network.Module.named_parameters().Single(item => item.name == "scores.weight").parameter;
            return [.. Enumerable.Range(0, Network.Widths.Count).Select(block => Network.Filters(network.Module, block)).Append(linear).Select(weight => weight.to(ScalarType.Float64).norm().item<double>())];
        }
    }

    [Fact]
    public void Pictures_have_hardly_any_noise_of_pixels()
    {
        using var scope = NewDisposeScope();
        using var source = global::Stability.Data.Source.Open(null, 40, 20);
        Assert.Equal([40, 1, 24, 24], source.Train.Images.shape);
        Assert.Equal([20], source.Test.Labels.shape);

        Assert.InRange(Noise(source.Train.Images) / Noise(Experiments.Data.DrawnShapes.Draw(40, 24, 1).Images), 0, 0.3);

        // A second difference in both directions has nothing of slopes.
        static double Noise(Tensor images) => images.diff(dim: 2).diff(dim: 2).diff(dim: 3).diff(dim: 3).abs().flatten().quantile(tensor(0.25f)).item<float>();
    }

    [Fact]
    public void Pictures_are_changed_before_they_are_averaged()
    {
        using var scope = NewDisposeScope();
        using var source = global::Stability.Data.Source.Open(null, 1, 6);
        Assert.Equal((4, 6), (source.Finer, source.Fine.size(0)));
        var images = source.Test.Images;
        Assert.True(source.Coarse(source.Fine).allclose(images));
        var changed = Transform.All(source, 4, CPU);
        Assert.Equal(Transform.Keys, changed.Select(transform => transform.Key));
        Assert.All(changed, transform => Assert.Equal([4, 1, 24, 24], transform.Images.shape));

        // A pixel is a pixel of the small pictures, up to what the averages see of the border.
        var moved = changed.Single(transform => transform.Key == Transform.Translation).Images;
        Assert.True(moved.narrow(2, 3, 20).narrow(3, 3, 20).allclose(images.narrow(0, 0, 4).narrow(2, 2, 20).narrow(3, 2, 20), atol: 1e-5));

        // Interpolating them changes them far less than half a pixel does.
        double Change(string key) => (changed.Single(transform => transform.Key == key).Images - images.narrow(0, 0, 4)).square().mean().sqrt().item<float>();
        Assert.InRange(Change(Transform.Control), 1e-6, 0.2 * Change(Transform.HalfTranslation));
        Assert.InRange(Change(Transform.HalfTranslation), 0.3 * Change(Transform.Translation), Change(Transform.Translation));
    }
}
