using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class KMeansTests
{
    [Fact]
    public void Lloyd_s_rounds_end_where_every_point_is_nearest_to_the_mean_of_its_own()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(11);
        var points = rand([400, 3], generator: generator, dtype: ScalarType.Float64);
        var centers = KMeans.Fit(points, 7, 500, seed: 3);
        var nearest = cdist(points, centers).argmin(1);
        for (var k = 0; k < 7; k++)
        {
            Tolerance.AssertClose(points[nearest == k].mean([0]), centers[k]);
        }
    }

    [Fact]
    public void Spherical_rounds_end_where_every_centre_is_the_direction_of_the_sum_of_its_own()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(11);
        var points = randn([400, 3], generator: generator, dtype: ScalarType.Float64);
        var centers = KMeans.Fit(points, 7, 500, seed: 3, spherical: true);
        var directions = points / points.square().sum(1, keepdim: true).sqrt();
        var nearest = directions.matmul(centers.t()).argmax(1);
        for (var k = 0; k < 7; k++)
        {
            var sum = directions[nearest == k].sum([0L]);
            Tolerance.AssertClose(sum / sum.square().sum().sqrt(), centers[k]);
        }

        // Lengths do not count.
        var lengths = rand([400, 1], generator: generator, dtype: ScalarType.Float64) * 10 + 0.1;
        Tolerance.AssertClose(centers, KMeans.Fit(points * lengths, 7, 500, seed: 3, spherical: true));
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(3, 64)]
    [InlineData(2, 7)]
    public void One_centre_of_mini_batches_is_the_mean_of_all_that_they_drew(int passes, long batch_size)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var points = randn([300, 6], generator: generator, dtype: ScalarType.Float64) + 3;
        Tolerance.AssertClose(points.mean([0], keepdim: true), KMeans.Fit(points, 1, passes, batch_size: batch_size));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Mini_batches_find_the_means_of_what_lies_apart(bool spherical)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var truth = pooling.l2_normalize(randn([10, 16], generator: generator, dtype: ScalarType.Float64));
        var blobs = truth.unsqueeze(1) + randn([10, 203, 16], generator: generator, dtype: ScalarType.Float64) * 0.01;
        var points = blobs.view(-1, 16);
        var centers = KMeans.Fit(points, 10, 3, seed: 1, batch_size: 100, spherical: spherical);
        var means = spherical ? pooling.l2_normalize(pooling.l2_normalize(blobs, 2).sum(1)) : blobs.mean([1]);
        var nearest = cdist(means, centers).argmin(1);
        Assert.Equal(10, nearest.unique().output.numel());

        // Without a point that changes its centre, the running mean is the mean; a spherical one turns a little at each batch.
        Tolerance.AssertClose(means, centers.index_select(0, nearest), spherical ? 1e-4 : 1e-12);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData(50L, false)]
    [InlineData(50L, true)]
    public void A_seed_repeats_bit_by_bit_and_another_gives_others(long? batch_size, bool spherical)
    {
        using var scope = NewDisposeScope();
        var points = randn(500, 8);
        Assert.Equal(Centers(1), Centers(1));
        Assert.NotEqual(Centers(1), Centers(2));

        float[] Centers(int seed) => KMeans.Fit(points, 6, 4, seed, batch_size, spherical).data<float>().ToArray();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Centres_that_lost_all_points_find_others(bool batches)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var blobs = randn([6, 1, 2], generator: generator) * 10 + randn([6, 50, 2], generator: generator) * 0.01;
        var points = blobs.view(-1, 2);
        var start = cat([blobs[0][..3], full(3, 2, 1000)]);   // three in one blob, three far from all points
        var lengths = points.square().sum(1);
        var centers = batches
            ? KMeans.MiniBatches(points, lengths, start, 8, 40, false, new Random(1))
            : KMeans.Lloyd(points, lengths, start, 20, false);
        Assert.Equal(6, cdist(points, centers).argmin(1).unique().output.numel());
        Assert.True(cdist(centers, points).amin([1]).max().ToSingle() < 10);
    }

    [Fact]
    public void Of_several_centres_without_points_each_takes_another_of_the_farthest()
    {
        using var scope = NewDisposeScope();
        var points = tensor(new float[,] { { 0, 0 }, { 2, 0 }, { 9, 9 }, { 9, 9 }, { 9, 8 } });
        var distances = tensor(new[] { 1f, 3, 9, 9, 8 });
        var centers = zeros(4, 2);
        KMeans.Fill(centers, tensor(new[] { false, true, false, true }), points, points.square().sum(1), distances);
        Assert.Equal([0f, 0, 9, 9, 0, 0, 2, 0], centers.data<float>().ToArray());   // once (9, 9) is taken, (9, 8) is at 1 from it
    }

    [Theory]
    [InlineData(1, 1e-3f)]
    [InlineData(1000, 1e-3f)]
    [InlineData(1, 1e-6f)]
    public void Points_that_lie_closely_together_are_distinct(float distance, float spread)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(8);
        var blob = randn([100, 8], generator: generator) * spread;
        var points = cat([blob + distance, blob - distance]);
        var centers = KMeans.Fit(points, 12, 1);
        Assert.Equal(12, cdist(points, centers, compute_mode: compute_mode.donot_use_mm_for_euclid_dist).argmin(1).unique().output.numel());
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData(50L, false)]
    [InlineData(50L, true)]
    public void One_tensor_is_left(long? batch_size, bool spherical)
    {
        using var scope = NewDisposeScope();
        var points = randn(500, 8);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var centers = KMeans.Fit(points, 6, 4, 0, batch_size, spherical);
        Assert.Equal(before + 1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(100L)]
    public void A_large_common_offset_of_the_points_costs_no_digits(long? batch_size)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(12);
        var blobs = randn([8, 1, 4], generator: generator) * 4 + randn([8, 100, 4], generator: generator) * 0.1;
        var points = blobs.reshape(-1, 4) + 10000;
        var centers = KMeans.Fit(points, 8, 100, seed: 1, batch_size: batch_size);
        var squared = (points.to(ScalarType.Float64).unsqueeze(1) - centers.to(ScalarType.Float64)).square().sum(2).min(1).values;
        Assert.True(squared.mean().ToDouble() < 0.06, $"{squared.mean().ToDouble()}");   // 4 · 0.1²
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Half_precision_points_give_the_centres_of_their_single_precision_copies(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var points = randn(300, 4).to(dtype);
        Tolerance.AssertClose(KMeans.Fit(points.@float(), 5), KMeans.Fit(points, 5), 0);
    }

    [Fact]
    public void As_many_centres_as_points_are_the_points()
    {
        using var scope = NewDisposeScope();
        var points = randn([9, 3], dtype: ScalarType.Float64);
        Tolerance.AssertClose(zeros(9, dtype: ScalarType.Float64), cdist(points, KMeans.Fit(points, 9)).amin([1]), 1e-7);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        Refused<ArgumentException>("expected a matrix (M ≥ 4, D ≥ 1), got 2 dimensions (3, 3)", () => KMeans.Fit(rand(3, 3), 4));
        Refused<ArgumentException>("expected finite descriptors", () => KMeans.Fit(full(9, 3, float.PositiveInfinity), 4));
        Refused<ArgumentException>("expected at least 4 distinct descriptors, got 1", () => KMeans.Fit(ones(9, 3), 4));
        Refused<ArgumentException>("expected descriptors whose squares are finite", () => KMeans.Fit(rand(9, 3) * 1e25, 4));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64", () => KMeans.Fit(ones(9, 3, dtype: ScalarType.Int64), 4));
        Refused<ArgumentOutOfRangeException>("clusters", () => KMeans.Fit(rand(9, 3), 0));
        Refused<ArgumentOutOfRangeException>("iterations", () => KMeans.Fit(rand(9, 3), 4, 0));
        Refused<ArgumentOutOfRangeException>("batch_size", () => KMeans.Fit(rand(9, 3), 4, batch_size: 0));

        static void Refused<T>(string message, Func<Tensor> fit)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(fit).Message, StringComparison.Ordinal);
    }
}
