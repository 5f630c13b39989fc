using static TorchSharp.torch;

namespace TorchPooling.Tests.Retrieval;

public class RetrievalMetricsTests
{
    [Fact]
    public void Recall_of_positions_by_hand()
    {
        using var scope = NewDisposeScope();
        (double, double)[] database = [(0, 5_000_000), (100, 5_000_000), (200, 5_000_000)];
        (double, double)[] queries = [(15, 5_000_020), (100, 5_000_025.01), (200, 5_000_000), (190, 5_000_000)];   // 25 m; 25.01 m; 0; 10
        var answers = tensor(new long[,] { { 1, 2, 0 }, { 1, 0, 2 }, { 2, 1, 0 }, { 0, 2, 1 } });
        var right = RetrievalMetrics.Right(answers, queries, database);
        Assert.Equal([false, false, true, false, false, false, true, false, false, false, true, false], right.data<bool>().ToArray());
        Assert.Equal([0.25, 0.5, 0.75], RetrievalMetrics.Recall(right));   // the second query is never found, and counts
        Assert.Equal([true, false, true, true], RetrievalMetrics.Answerable(queries, database).data<bool>().ToArray());

        Assert.Equal([0.5, 0.75, 1], RetrievalMetrics.Recall(RetrievalMetrics.Right(answers, queries, database, radius: 26)));
        Assert.Equal([false, false, true, false], RetrievalMetrics.Answerable(queries, database, 0).data<bool>().ToArray());
    }

    [Fact]
    public void Mean_average_precision_by_trapezoids_by_hand()
    {
        using var scope = NewDisposeScope();
        var answers = tensor(new long[,] { { 3, 0, 4, 1, 2 }, { 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 0, 1, 2, 3, 4 } });

        // Positives at ranks 0 and 2: (1 + 1)/2 and (1/2 + 2/3)/2, over two.
        // At ranks 1 and 3, and one never found: (0 + 1/2)/2 and (1/3 + 2/4)/2, over three.
        // None: NaN. All: 1.
        var (mean, each) = RetrievalMetrics.MeanAveragePrecision(answers, [[3, 4], [1, 3, 77], [], [4, 3, 2, 1, 0]]);
        Assert.Equal([(1 + 7 / 12.0) / 2, (1 / 4.0 + 5 / 12.0) / 3, double.NaN, 1], each, Close);
        Assert.Equal(((1 + 7 / 12.0) / 2 + (1 / 4.0 + 5 / 12.0) / 3 + 1) / 3, mean, 1e-15);

        // Without picture 0 the positives of the first query stand at ranks 0 and 1, without 0 and 2 those of the second at 0 and 1.
        (_, each) = RetrievalMetrics.MeanAveragePrecision(answers, [[3, 4], [1, 3], [], [2]], [[0], [0, 2], [1], [0, 1, 99]]);
        Assert.Equal([1, 1, double.NaN, 1], each, Close);
    }

    [Fact]
    public void Precision_and_recall_by_hand()
    {
        using var scope = NewDisposeScope();
        var distances = tensor(new[] { 0.3, 0.1, 0.2, 0.2, 0.5 });
        var right = tensor(new[] { true, true, false, true, false });
        var answerable = tensor(new[] { true, true, true, true, false });

        // At 0.1: 1 of 1; at 0.2: 2 of 3; at 0.3: 3 of 4; at 0.5: 3 of 5. Four queries have an answer.
        var (thresholds, precision, recall, area) = RetrievalMetrics.PrecisionRecall(distances, right, answerable);
        Assert.Equal([0.1, 0.2, 0.3, 0.5], thresholds);
        Assert.Equal([1, 2 / 3.0, 3 / 4.0, 3 / 5.0], precision, Close);
        Assert.Equal([1 / 4.0, 2 / 4.0, 3 / 4.0, 3 / 4.0], recall, Close);
        Assert.Equal((1 + 2 / 3.0 + 3 / 4.0) / 4, area, 1e-15);

        (_, precision, recall, area) = RetrievalMetrics.PrecisionRecall(distances.to(ScalarType.Float32), right);
        Assert.Equal([1 / 5.0, 2 / 5.0, 3 / 5.0, 3 / 5.0], recall, Close);
        Assert.Equal((1 + 2 / 3.0 + 3 / 4.0) / 5, area, 1e-15);
        Assert.Equal(3 / 5.0, precision[^1], 1e-15);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var scope = NewDisposeScope();
        (double, double)[] places = [(0, 0), (100, 0)];
        var answers = tensor(new long[,] { { 0, 1 }, { 1, 0 } });
        var right = RetrievalMetrics.Right(answers, places, places);
        var first = right.select(1, 0);
        var (distances, turned) = (ones(2), answers.t());
        Leaves(1, () => RetrievalMetrics.Right(answers, places, places));
        Leaves(1, () => RetrievalMetrics.Answerable(places, places));
        Leaves(0, () => RetrievalMetrics.Recall(right));
        Leaves(0, () => RetrievalMetrics.MeanAveragePrecision(turned, [[0], [1]]));
        Leaves(0, () => RetrievalMetrics.PrecisionRecall(distances, first));

        static void Leaves(long tensors, Func<object> work)
        {
            var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            work();
            Assert.Equal(before + tensors, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void Says_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        (double, double)[] p = [(0, 0), (0, 0)];
        var (i, b) = (zeros(2, 3, dtype: ScalarType.Int64), zeros(2, dtype: ScalarType.Bool));
        Throws("expected finite positions, got (NaN, 0) at 1", () => RetrievalMetrics.Right(i, [(0, 0), (double.NaN, 0)], p));
        Throws("expected finite positions, got (0, NaN) at 0", () => RetrievalMetrics.Answerable(p, [(0, double.NaN)]));
        Throws("expected answers (Q, N) in Int64 with Q = 2, got Int64 (1, 3)", () => RetrievalMetrics.Right(i.narrow(0, 0, 1), p, p));
        Throws("expected answers (Q, N) in Int64 with Q = 2, got Int32 (2, 3)", () => RetrievalMetrics.Right(i.@int(), p, p));
        Throws("expected numbers of the 2 database pictures, got 2", () => RetrievalMetrics.Right(tensor(new long[,] { { 0 }, { 2 } }), p, p));
        Throws("got -1", () => RetrievalMetrics.Right(tensor(new long[,] { { 0 }, { -1 } }), p, p));
        Throws("expected a finite number that is not negative", () => RetrievalMetrics.Right(i, p, p, double.NaN));
        Throws("expected (Q, N) in Bool, got Int64 (2, 3)", () => RetrievalMetrics.Recall(i));
        Throws("expected at least one query with an answer to find, got none", () => RetrievalMetrics.Recall(zeros(0, 3, dtype: ScalarType.Bool)));
        Throws("expected answers (Q, N) in Int64 with Q = 1, got Int64 (2, 3)", () => RetrievalMetrics.MeanAveragePrecision(i, [[1]]));
        Throws("expected ignored pictures of 2 queries, got 1", () => RetrievalMetrics.MeanAveragePrecision(i, [[1], [1]], [[2]]));
        Throws("got 1 as both for query 0", () => RetrievalMetrics.MeanAveragePrecision(i, [[1], [1]], [[1], [2]]));
        Throws("expected each picture once among the answers, got one twice for query 0", () => RetrievalMetrics.MeanAveragePrecision(i, [[1], [1]]));
        Throws("expected a query with positives, got none among 1", () => RetrievalMetrics.MeanAveragePrecision(tensor(new long[,] { { 0 } }), [[]]));
        Throws("expected the shape (2), got 1 dimensions (3)", () => RetrievalMetrics.PrecisionRecall(ones(3), b));
        Throws("expected a floating-point tensor, got Bool (2)", () => RetrievalMetrics.PrecisionRecall(b, b));
        Throws("expected distances, got NaN among them", () => RetrievalMetrics.PrecisionRecall(zeros(2) / 0, b));
        Throws("expected right answers to answerable queries only, got one to query 1", () => RetrievalMetrics.PrecisionRecall(ones(2), tensor(new[] { false, true }), b));
        Throws("expected at least one query with an answer to find, got none", () => RetrievalMetrics.PrecisionRecall(ones(2), b, b));
    }

    private static void Throws(string message, Action action) =>
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static bool Close(double expected, double actual) => expected.Equals(actual) || Math.Abs(expected - actual) < 1e-15;
}
