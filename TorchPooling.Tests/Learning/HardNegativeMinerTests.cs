using TorchSharp;
using static TorchPooling.Tests.Learning.LossTesting;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Learning;

public class HardNegativeMinerTests
{
    [Fact]
    public void Tuples_take_the_nearest_potential_positive_and_the_hardest_negatives()
    {
        using var scope = NewDisposeScope();
        using var miner = new HardNegativeMiner([[0, 1], []], [[0, 1, 2], [5]], 6, negatives: 2);
        Assert.Equal([0], miner.Trainable);   // the second query has no positive

        // Distances to query 0 at 0; picture 2, neither positive nor negative, is the nearest. 1000 draws miss none of six.
        miner.Refresh(zeros(2, 1), tensor(new[] { -9f, 5, 1, 8, 2, -6 }).unsqueeze(1));
        var tuple = Assert.Single(miner.Mine([0], new Random(1)));
        Assert.Equal((0, 1), (tuple.Query, tuple.Positive));
        Assert.Equal([4, 5], tuple.Negatives);
        Assert.Equal([4, 5, 3], miner.Remembered[0]);
        Assert.Empty(miner.Remembered[1]);
        Assert.Equal([false, false, false, true, true, true], Enumerable.Range(0, 6).Select(d => miner.IsNegative(0, d)));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void The_tuples_are_those_of_a_loop_over_the_same_draws(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        const int Queries = 150, Pictures = 400, Hard = 6, Sampled = 50, Kept = 4;
        var (queries, database) = (Random(1, Queries, 8).to(dtype), (Random(2, Pictures, 8) * 2).to(dtype));   // of many lengths
        var (near, excluded) = Lists(Queries, Pictures);
        using var miner = new HardNegativeMiner(near, excluded, Pictures, Hard, Sampled, Kept);
        miner.Refresh(queries, database);
        var order = miner.Trainable.Reverse().ToArray();
        var mined = miner.Mine([.. order, .. order], new Random(7));   // each twice: what is remembered comes back

        var (q, d) = (Rows(queries), Rows(database));
        var remembered = new Dictionary<int, int[]>();
        var random = new Random(7);
        foreach (var (query, tuple) in order.Concat(order).Zip(mined))
        {
            var candidates = Enumerable.Range(0, Sampled).Select(_ => random.Next(Pictures)).ToArray();
            int[] hardest =
            [
                .. candidates.Concat(remembered.GetValueOrDefault(query, [])).Distinct().Except(excluded[query])
                    .OrderBy(i => Squared(q[query], d[i])),
            ];
            remembered[query] = hardest[..Kept];
            Assert.Equal(query, tuple.Query);
            Assert.Equal(near[query].MinBy(i => Squared(q[query], d[i])), tuple.Positive);
            Assert.Equal(hardest[..Hard], tuple.Negatives);
        }

        Assert.All(order, query => Assert.Equal(remembered[query], miner.Remembered[query]));
    }

    [Fact]
    public void A_restored_state_goes_on_as_the_saved_one()
    {
        using var scope = NewDisposeScope();
        var (near, excluded) = Lists(20, 300);
        using var first = Create();
        first.Mine(first.Trainable, new Random(1));
        var saved = first.Remembered;
        var text = System.Text.Json.JsonSerializer.Serialize(saved);
        var next = Flat(first.Mine(first.Trainable, new Random(2)));
        Assert.Equal(text, System.Text.Json.JsonSerializer.Serialize(saved));   // mining leaves what was read alone

        using var restored = Create();
        restored.Remembered = System.Text.Json.JsonSerializer.Deserialize<int[][]>(text)!;
        Assert.Equal(next, Flat(restored.Mine(restored.Trainable, new Random(2))));
        using var fresh = Create();
        Assert.NotEqual(next, Flat(fresh.Mine(fresh.Trainable, new Random(2))));

        HardNegativeMiner Create()
        {
            var miner = new HardNegativeMiner(near, excluded, 300, negatives: 5, sampled: 20);
            miner.Refresh(Random(1, 20, 4), Random(2, 300, 4));
            return miner;
        }

        static IEnumerable<int> Flat(MinedTuple[] tuples) => tuples.SelectMany(t => t.Negatives.Prepend(t.Positive));
    }

    [Fact]
    public void Too_few_draws_are_filled_up_with_the_first_negatives()
    {
        using var scope = NewDisposeScope();
        using var miner = new HardNegativeMiner([[1]], [[1, 2]], 6, negatives: 3, sampled: 0, remembered: 0);
        miner.Refresh(zeros(1, 1), tensor(new[] { 3f, 0, 0, 2, 1, 0 }).unsqueeze(1));
        Assert.Equal([4, 3, 0], miner.Mine([0], new Random(1))[0].Negatives);
        Assert.Empty(miner.Remembered[0]);
    }

    [Fact]
    public void Ties_go_by_number_and_NaN_is_farthest()
    {
        using var scope = NewDisposeScope();
        using var miner = new HardNegativeMiner([[0, 1, 2]], [[0, 1, 2]], 8, negatives: 5, sampled: 500);
        miner.Refresh(zeros(1, 1), tensor(new[] { float.NaN, 1, 1, float.NaN, 2, 1, 2, 1 }).unsqueeze(1));
        var tuple = miner.Mine([0], new Random(1))[0];
        Assert.Equal(1, tuple.Positive);
        Assert.Equal([5, 7, 4, 6, 3], tuple.Negatives);
    }

    [Fact]
    public void The_cache_outlives_its_tensors_and_the_miner_leaves_none()
    {
        var (near, excluded) = Lists(20, 300);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using (var miner = new HardNegativeMiner(near, excluded, 300))
        {
            for (var round = 0; round < 3; round++)
            {
                using (NewDisposeScope())
                {
                    miner.Refresh(Random(round, 20, 4).requires_grad_(), Random(round + 9, 300, 4));
                }

                miner.Mine(miner.Trainable, new Random(1));
                Assert.Equal(before + 3, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
            }
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        Assert.Empty(new HardNegativeMiner([[0]], [[0, 1]], 3, negatives: int.MaxValue).Trainable);
        Refused<ArgumentException>("expected lists for 1 queries, got 2", () => new HardNegativeMiner([[0]], [[0], [1]], 3));
        Refused<ArgumentException>("expected ascending numbers below 3, got 1 after 2 for query 0 (Parameter 'positives')", () => new HardNegativeMiner([[2, 1]], [[1, 2]], 3));
        Refused<ArgumentException>("expected ascending numbers below 3, got 3 after 1 for query 0 (Parameter 'excluded')", () => new HardNegativeMiner([[1]], [[1, 3]], 3));
        Refused<ArgumentException>("expected ascending numbers below 3, got -1", () => new HardNegativeMiner([[-1]], [[]], 3));
        Refused<ArgumentException>("expected the positives among them, got none of number 2 for query 1", () => new HardNegativeMiner([[], [1, 2]], [[], [1]], 3));
        Refused<ArgumentException>("expected a list for each query, got none for query 0", () => new HardNegativeMiner([null!], [[]], 3));
        Refused<ArgumentOutOfRangeException>("negatives", () => new HardNegativeMiner([], [], 3, negatives: 0));
        Refused<ArgumentOutOfRangeException>("sampled", () => new HardNegativeMiner([], [], 3, sampled: -1));
        Refused<ArgumentOutOfRangeException>("remembered", () => new HardNegativeMiner([], [], 3, remembered: -1));

        using var miner = new HardNegativeMiner([[0], []], [[0], []], 3, negatives: 2);
        Refused<InvalidOperationException>("expected descriptors: call Refresh first", () => miner.Mine([0], new Random(1)));
        Refused<ArgumentException>("expected descriptors (2, D ≥ 1), got 2 dimensions (3, 4)", () => miner.Refresh(rand(3, 4), rand(3, 4)));
        Refused<ArgumentException>("expected descriptors (3, D ≥ 1), got 1 dimensions (3)", () => miner.Refresh(rand(2, 4), rand(3)));
        Refused<ArgumentException>("expected the shape (3, 4), got 2 dimensions (3, 5)", () => miner.Refresh(rand(2, 4), rand(3, 5)));
        Refused<ArgumentException>("expected Float32 on cpu, got Float64 on cpu", () => miner.Refresh(rand(2, 4), rand(3, 4, dtype: ScalarType.Float64)));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64", () => miner.Refresh(ones(2, 4, dtype: ScalarType.Int64), rand(3, 4)));
        miner.Refresh(rand(2, 4), rand(3, 4));
        Refused<ArgumentException>("expected queries with a positive and 2 negatives, of 2, got query 1", () => miner.Mine([0, 1], new Random(1)));
        Refused<ArgumentException>("got query 2", () => miner.Mine([2], new Random(1)));
        Refused<ArgumentException>("expected a list for each of 2 queries, of numbers below 3, got 1 lists", () => miner.Remembered = [[]]);
        Refused<ArgumentException>("of numbers below 3", () => miner.Remembered = [[], [3]]);
        Refused<ArgumentOutOfRangeException>("query", () => miner.IsNegative(2, 0));
        Refused<ArgumentOutOfRangeException>("database", () => miner.IsNegative(0, 3));
        Assert.Equal(2, miner.Mine([0], new Random(1))[0].Negatives.Length);   // still works
    }

    /// <summary>One to three positives and up to four more excluded pictures for each query.</summary>
    private static (int[][] Near, int[][] Excluded) Lists(int queries, int pictures)
    {
        var random = new Random(queries);
        var excluded = new int[queries][];
        var near = new int[queries][];
        for (var q = 0; q < queries; q++)
        {
            var drawn = Enumerable.Range(0, pictures).OrderBy(_ => random.Next()).Take(random.Next(3, 8)).ToArray();
            near[q] = [.. drawn.Take(random.Next(1, 4)).Order()];
            excluded[q] = [.. drawn.Order()];
        }

        return (near, excluded);
    }
}
