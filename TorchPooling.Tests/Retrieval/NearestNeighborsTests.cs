using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Retrieval;

public class NearestNeighborsTests
{
    [Fact]
    public void Hand_computed_distances_and_products()
    {
        using var scope = NewDisposeScope();
        var queries = tensor(new float[,] { { 0, 0 }, { 3, 1 } });
        var database = tensor(new float[,] { { 3, 4 }, { 1, 0 }, { -2, 0 }, { 0, 1 } });

        var (distances, indices) = NearestNeighbors.Find(queries, database, 3);
        Assert.Equal([1, 1, 4, 5, 9, 9], distances.data<float>().ToArray());   // equal ones in the order of their numbers
        Assert.Equal([1, 3, 2, 1, 0, 3], indices.data<long>().ToArray());

        var (products, largest) = NearestNeighbors.Find(queries, database, 4, innerProduct: true);
        Assert.Equal([0, 0, 0, 0, 13, 3, 1, -6], products.data<float>().ToArray());
        Assert.Equal([0, 1, 2, 3, 0, 1, 3, 2], largest.data<long>().ToArray());
    }

    [Theory]
    [InlineData(ScalarType.Float16, false)]
    [InlineData(ScalarType.BFloat16, true)]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.Float64, false)]
    [InlineData(ScalarType.Float64, true)]
    public void Agrees_with_a_loop_over_all_pairs(ScalarType dtype, bool innerProduct)
    {
        using var scope = NewDisposeScope();
        var draw = new Generator(3);
        var queries = randn(7, 24, generator: draw).to(dtype);
        var database = randn(300, 24, generator: draw).to(dtype);
        var (values, indices) = NearestNeighbors.Find(queries, database, 11, innerProduct, workBytes: 20_000);
        var wide = dtype == ScalarType.Float64 ? dtype : ScalarType.Float32;
        var (expected, numbers) = ByLoop(queries, database, 11, innerProduct, wide == ScalarType.Float32);
        Tolerance.AssertClose(tensor(expected, 7, 11).to(wide), values);
        Assert.Equal(numbers, indices.data<long>().ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_same_bits_for_every_block_size_and_in_a_stream(bool innerProduct)
    {
        using var scope = NewDisposeScope();
        var draw = new Generator(4);
        var few = randn(40, 16, generator: draw);
        var database = few.index_select(0, randint(0, 40, 700, dtype: ScalarType.Int64, generator: draw));   // each about 17 times
        var queries = cat([few.narrow(0, 0, 5), randn(20, 16, generator: draw)]);
        var (expected, expectedIndices) = NearestNeighbors.Find(queries, database, 60, innerProduct);
        foreach (var bytes in new[] { 3_000L, 100_000 })
        {
            var (values, indices) = NearestNeighbors.Find(queries, database, 60, innerProduct, bytes);
            Assert.Equal(expected, values);
            Assert.Equal(expectedIndices, indices);
        }

        foreach (var rows in new[] { 7, 699 })
        {
            var (values, indices) = NearestNeighbors.FindInBlocks(queries, database.split(rows), 60, innerProduct);
            Assert.Equal(expected, values);
            Assert.Equal(expectedIndices, indices);
        }

        var (loop, numbers) = ByLoop(queries, database, 60, innerProduct, single: true);
        Assert.Equal(numbers, expectedIndices.data<long>().ToArray());
        Tolerance.AssertClose(tensor(loop, 25, 60).@float(), expected);
    }

    [Fact]
    public void Equal_vectors_far_from_the_origin_are_at_distance_zero()
    {
        using var scope = NewDisposeScope();
        var draw = new Generator(5);
        var database = 1000 + 0.01 * randn(150, 64, generator: draw);   // ‖d‖² = 6.4e7, of which float32 keeps steps of 4
        var (distances, indices) = NearestNeighbors.Find(database, database, 3);
        Assert.Equal(zeros(150), distances.select(1, 0));
        Assert.Equal(arange(150), indices.select(1, 0));
        var (expected, numbers) = ByLoop(database, database, 3, innerProduct: false, single: true);
        Assert.Equal(numbers, indices.data<long>().ToArray());
        Tolerance.AssertClose(tensor(expected, 150, 3).@float(), distances, 1e-6);
    }

    [Fact]
    public void Rows_that_come_ever_nearer_are_found()
    {
        using var scope = NewDisposeScope();
        var database = arange(5000, 0, -1, dtype: ScalarType.Float32).unsqueeze(1);
        var (distances, indices) = NearestNeighbors.FindInBlocks(zeros(1, 1), database.split(100), 2);
        Assert.Equal([1, 4], distances.data<float>().ToArray());
        Assert.Equal([4999, 4998], indices.data<long>().ToArray());
    }

    [Fact]
    public void Very_small_and_very_large_numbers()
    {
        using var scope = NewDisposeScope();
        foreach (var scale in new[] { 1e-25, 1e-18, 1e17 })
        {
            var database = tensor(new[] { 3f, 1, 2 }).unsqueeze(1) * scale;
            var (distances, indices) = NearestNeighbors.Find(zeros(1, 1), database, 3);
            Tolerance.AssertClose(tensor(new[] { scale * scale, 4 * scale * scale, 9 * scale * scale }).@float().unsqueeze(0), distances, 1e-6 * Math.Min(1, scale));

            // At 1e-25 every square is below what float32 holds: all are at distance 0.
            Assert.Equal(scale == 1e-25 ? [0, 1, 2] : [1, 2, 0], indices.data<long>().ToArray());
        }
    }

    [Fact]
    public void Every_block_of_a_stream_is_disposed_and_nothing_else_leaks()
    {
        using var queries = ones(2, 3);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var most = 0L;
        var (values, indices) = NearestNeighbors.FindInBlocks(queries, Blocks(), 2);
        Assert.Equal(2, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount - before);
        Assert.InRange(most, 0, 20);
        values.Dispose();
        indices.Dispose();

        IEnumerable<Tensor> Blocks()
        {
            for (var i = 0; i < 50; i++)
            {
                most = Math.Max(most, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount - before);
                yield return rand(4, 3);
            }
        }
    }

    [Fact]
    public void No_queries_no_rows_in_a_block_and_strided_rows()
    {
        using var scope = NewDisposeScope();
        var (values, indices) = NearestNeighbors.Find(zeros(0, 3), ones(4, 3), 2);
        Assert.Equal([0, 2], values.shape);
        Assert.Equal([0, 2], indices.shape);

        var database = arange(12, dtype: ScalarType.Float32).reshape(3, 4).t();   // rows (0, 4, 8) … (3, 7, 11)
        (values, indices) = NearestNeighbors.FindInBlocks(database.narrow(0, 2, 1).requires_grad_(), [zeros(0, 3), database], 2);
        Assert.Equal([0, 3], values.data<float>().ToArray());
        Assert.Equal([2, 1], indices.data<long>().ToArray());
        Assert.False(values.requires_grad);
    }

    [Fact]
    public void Rows_of_half_precision_answer_queries_of_single_precision()
    {
        using var scope = NewDisposeScope();
        var (queries, database) = (randn(5, 16), randn(100, 16).half());
        var (values, indices) = NearestNeighbors.Find(queries, database, 7);
        var (expected, numbers) = NearestNeighbors.Find(queries, database.@float(), 7);
        Assert.Equal(expected, values);
        Assert.Equal(numbers, indices);
    }

    [Fact]
    public void The_whole_database_in_order()
    {
        using var scope = NewDisposeScope();
        var draw = new Generator(6);
        var (queries, database) = (randn(7, 32, generator: draw), randn(3000, 32, generator: draw));
        var (values, indices) = NearestNeighbors.Find(queries, database, 3000, workBytes: 1 << 20);
        var squared = (queries.@double().unsqueeze(1) - database.@double()).square().sum(2).@float();
        var (sorted, order) = squared.sort(dim: 1, descending: false, stable: true);
        Assert.Equal(order, indices);
        Assert.Equal(sorted, values);
    }

    [CudaTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_CUDA_the_neighbours_are_the_same_with_TF32_too(bool innerProduct)
    {
        using var scope = NewDisposeScope();
        var draw = new Generator(6);
        var (queries, database) = (randn(50, 64, generator: draw), randn(3000, 64, generator: draw));
        var (expected, numbers) = NearestNeighbors.Find(queries, database, 10, innerProduct);
        var before = backends.cuda.matmul.allow_tf32;
        try
        {
            foreach (var tf32 in new[] { false, true })
            {
                backends.cuda.matmul.allow_tf32 = tf32;
                var (values, indices) = NearestNeighbors.Find(queries.cuda(), database.cuda(), 10, innerProduct, 1 << 20);
                Tolerance.AssertClose(expected, values.cpu());
                Assert.Equal(numbers, indices.cpu());
            }
        }
        finally
        {
            backends.cuda.matmul.allow_tf32 = before;
        }
    }

    [Fact]
    public void Says_what_is_wrong()
    {
        using var scope = NewDisposeScope();
        var (q, d) = (ones(2, 3), ones(4, 3));
        Throws<ArgumentOutOfRangeException>("count ('0') must be a non-negative and non-zero value", () => NearestNeighbors.Find(q, d, 0));
        Throws<ArgumentOutOfRangeException>("expected at most the 4 rows of the database", () => NearestNeighbors.Find(q, d, 5));
        Throws<ArgumentOutOfRangeException>("expected at most the 8 rows of the database", () => NearestNeighbors.FindInBlocks(q, [d, d], 9));
        Throws<ArgumentOutOfRangeException>("workBytes ('0')", () => NearestNeighbors.Find(q, d, 1, workBytes: 0));
        Throws<ArgumentException>("expected a matrix (M, 3), got 2 dimensions (4, 2)", () => NearestNeighbors.Find(q, ones(4, 2), 1));
        Throws<ArgumentException>("got 1 dimensions (3)", () => NearestNeighbors.Find(ones(3), d, 1));
        Throws<ArgumentException>("got 2 dimensions (2, 0)", () => NearestNeighbors.Find(ones(2, 0), d, 1));
        Throws<ArgumentException>("expected a floating-point tensor, got Int64 (2, 3)", () => NearestNeighbors.Find(q.@long(), d, 1));
        Throws<ArgumentException>("expected Float32 on cpu as the queries have, got Float64 on cpu", () => NearestNeighbors.Find(q, d.@double(), 1));
        Throws<ArgumentException>("got Float32 on meta", () => NearestNeighbors.Find(q, ones(4, 3, device: META), 1));
        foreach (var bad in new[] { float.NaN, float.NegativeInfinity, 1e19f })
        {
            Throws<ArgumentException>("expected finite descriptors with ‖x‖² < 2.1E+37, got NaN, infinity or a longer one among them (Parameter 'database')", () => NearestNeighbors.Find(q, full(4, 3, bad), 1));
            Throws<ArgumentException>("(Parameter 'queries')", () => NearestNeighbors.Find(full(2, 3, bad), d, 1));
        }
    }

    private static void Throws<T>(string message, Action action)
        where T : Exception => Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);

    /// <summary>Sums in float64 over all pairs, sorted by the value (as float32 if <paramref name="single"/>), then the number.</summary>
    private static (double[] Values, long[] Indices) ByLoop(Tensor queries, Tensor database, int count, bool innerProduct, bool single)
    {
        var (q, d) = (Rows(queries), Rows(database));
        var found = q.SelectMany(x => d
            .Select((y, i) => (Value: Rounded(x.Zip(y, (a, b) => innerProduct ? a * b : (a - b) * (a - b)).Sum()), Index: (long)i))
            .OrderBy(pair => innerProduct ? -pair.Value : pair.Value).ThenBy(pair => pair.Index).Take(count)).ToList();
        return ([.. found.Select(pair => pair.Value)], [.. found.Select(pair => pair.Index)]);

        double Rounded(double value) => single ? (float)value : value;
    }

    private static double[][] Rows(Tensor x) => [.. x.@double().data<double>().ToArray().Chunk((int)x.size(1))];
}
