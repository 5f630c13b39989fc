using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The nearest of all rows seen so far, for some queries.</summary>
/// <remarks>A product of D terms, in any order of summation, is wrong by at most D·u·‖q‖‖d‖ with the unit u of rounding
/// (Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.5), TF32 adds that of its factors; so no pair whose value
/// could be among the smallest is lost.</remarks>
internal sealed class NeighborSearch
{
    private const int Crowd = 8;

    private readonly Tensor queries;
    private readonly Tensor shifted;
    private readonly Tensor? offset;
    private readonly Tensor lengths;
    private readonly int count;
    private readonly bool innerProduct;
    private readonly long elements;
    private readonly double rounding;

    /// <param name="queries">(Q, D), float32 or float64.</param>
    /// <param name="offset">(D), subtracted from both sides of the product; null for none.</param>
    /// <param name="count">Neighbours of each query.</param>
    /// <param name="innerProduct">By the largest inner product.</param>
    /// <param name="elements">Numbers that a table may hold.</param>
    public NeighborSearch(Tensor queries, Tensor? offset, int count, bool innerProduct, long elements)
    {
        (this.queries, this.offset, this.count, this.innerProduct, this.elements) = (queries, offset, count, innerProduct, elements);
        shifted = offset is null ? queries : queries - offset;
        lengths = shifted.square().sum(1);
        rounding = 2 * Rounding(queries);
        Values = full(queries.size(0), count, double.PositiveInfinity, dtype: queries.dtype, device: queries.device);
        Indices = zeros(queries.size(0), count, dtype: ScalarType.Int64, device: queries.device);
    }

    /// <summary>Squared distances, or inner products with the sign changed, ascending; infinite while too few rows were seen.</summary>
    public Tensor Values { get; private set; }

    public Tensor Indices { get; private set; }

    /// <summary>Pairs whose vectors fit into memory in float64.</summary>
    private long Pairs => Math.Max(1, elements / queries.size(1));

    /// <summary>Takes in the rows of a block (m, D), the first of which has the number <paramref name="start"/>.</summary>
    public void Add(Tensor block, long start)
    {
        using var scope = NewDisposeScope();
        var rows = offset is null ? block : block - offset;
        var rowLengths = rows.square().sum(1);
        var lower = innerProduct ? -shifted.matmul(rows.t()) : addmm(rowLengths * (1 - 2 * rounding), shifted, rows.t(), beta: 1, alpha: -2);
        var worst = Values.select(1, count - 1);
        var possible = Possible(lower, worst, rowLengths);
        if (block.size(0) > count && possible.count_nonzero().ToInt64() > Crowd * queries.size(0) * count)
        {
            possible = Possible(lower, minimum(worst, WorstOf(lower, block)), rowLengths);
        }

        var pairs = possible.nonzero();
        if (pairs.size(0) > 0)
        {
            var (query, row) = (pairs.select(1, 0), pairs.select(1, 1));
            Merge(query, Direct(query, row, block), row + start);
        }
    }

    /// <summary>The pairs that rounding does not exclude.</summary>
    private Tensor Possible(Tensor lower, Tensor worst, Tensor rowLengths)
    {
        var slack = innerProduct
            ? (lengths * rowLengths.max()).sqrt() * rounding
            : lengths * (2 * rounding - 1);
        var tiny = queries.size(1) * Math.ScaleB(1, queries.dtype == ScalarType.Float64 ? -1022 : -126);
        return (lower > (worst + slack + tiny).unsqueeze(1)).logical_not();
    }

    /// <summary>A bound of each query's last value: that of the apparently nearest rows of this block.</summary>
    private Tensor WorstOf(Tensor lower, Tensor block)
    {
        var (_, nearest) = lower.topk(count, dim: 1, largest: false, sorted: false);
        var numbers = arange(queries.size(0), device: queries.device).repeat_interleave(count);
        return Direct(numbers, nearest.flatten(), block).reshape(-1, count).amax([1]);
    }

    /// <summary>The values of pairs (query, row of the block), summed in float64.</summary>
    private Tensor Direct(Tensor query, Tensor row, Tensor block)
    {
        using var scope = NewDisposeScope();
        var parts = query.split(Pairs).Zip(row.split(Pairs), (some, those) =>
        {
            using var part = NewDisposeScope();
            var q = queries.index_select(0, some).to(ScalarType.Float64);
            var d = block.index_select(0, those).to(ScalarType.Float64);
            var values = innerProduct ? -q.mul_(d).sum(1) : q.sub_(d).pow_(2).sum(1);
            return values.to(queries.dtype).MoveToOuterDisposeScope();
        });
        return cat([.. parts]).MoveToOuterDisposeScope();
    }

    /// <summary>Takes in pairs of queries and rows. Both sorts are stable and later rows stand behind, so equal values stay in
    /// the order of their numbers.</summary>
    private void Merge(Tensor query, Tensor value, Tensor number)
    {
        using var scope = NewDisposeScope();
        var numbers = arange(queries.size(0), device: queries.device).repeat_interleave(count);
        var values = cat([Values.flatten(), value]);
        var owners = cat([numbers, query]);
        var indices = cat([Indices.flatten(), number]);
        var byValue = values.sort(stable: true).Indices;
        var order = byValue.index_select(0, owners.index_select(0, byValue).sort(stable: true).Indices);

        var all = bincount(owners, minlength: queries.size(0));
        var kept = ((all.cumsum(0) - all).unsqueeze(1) + arange(count, device: queries.device)).flatten();
        var best = order.index_select(0, kept);
        var (oldValues, oldIndices) = (Values, Indices);
        Values = values.index_select(0, best).reshape(-1, count).MoveToOtherDisposeScope(oldValues);
        Indices = indices.index_select(0, best).reshape(-1, count).MoveToOtherDisposeScope(oldIndices);
        oldValues.Dispose();
        oldIndices.Dispose();
    }

    private static double Rounding(Tensor x)
    {
        var unit = Math.ScaleB(1, x.dtype == ScalarType.Float64 ? -53 : -24);
        var factors = x.device_type == DeviceType.CUDA && x.dtype == ScalarType.Float32 && backends.cuda.matmul.allow_tf32 ? Math.ScaleB(1, -10) : 0;
        return (x.size(1) + 16) * unit + factors;
    }
}
