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
    private readonly List<(Tensor Query, Tensor Value, Tensor Number)> pending = [];
    private Tensor values;
    private Tensor indices;

    /// <param name="queries">(Q, D), float32 or float64.</param>
    /// <param name="offset">(D), subtracted from both sides of the product; null for none.</param>
    /// <param name="count">Neighbours of each query.</param>
    /// <param name="innerProduct">By the largest inner product.</param>
    /// <param name="elements">Numbers that a table may hold.</param>
    public NeighborSearch(Tensor queries, Tensor? offset, int count, bool innerProduct, long elements)
    {
        (this.queries, this.offset, this.count, this.innerProduct, this.elements) = (queries, offset, count, innerProduct, elements);
        shifted = offset is null ? queries : queries - offset;
        lengths = shifted.Squared().sum(1);
        rounding = 2 * Rounding(queries);
        values = full(queries.size(0), count, Held(double.PositiveInfinity), dtype: queries.dtype, device: queries.device);
        indices = zeros(queries.size(0), count, dtype: ScalarType.Int64, device: queries.device);
    }

    /// <summary>Squared distances, or inner products with the sign changed, ascending, and the numbers of their rows, both
    /// (Q, count); infinite where too few rows were seen.</summary>
    public (Tensor Values, Tensor Indices) Nearest()
    {
        Merge();
        return (values, indices);
    }

    /// <summary>Pairs whose vectors fit into memory in float64.</summary>
    private long Pairs => Math.Max(1, elements / queries.size(1));

    /// <summary>Takes in the rows of a block (m, D), the first of which has the number <paramref name="start"/>.</summary>
    public void Add(Tensor block, long start)
    {
        using var scope = NewDisposeScope();
        var rows = offset is null ? block : block - offset;
        var rowLengths = rows.Squared().sum(1);
        var lower = innerProduct ? -shifted.matmul(rows.t()) : addmm(rowLengths * Held(1 - 2 * rounding), shifted, rows.t(), beta: 1, alpha: -2);
        var worst = values.select(1, count - 1);
        var possible = Possible(lower, worst, rowLengths);
        if (block.size(0) > count && possible.count_nonzero().ToInt64() > Crowd * queries.size(0) * count)
        {
            possible = Possible(lower, minimum(worst, WorstOf(lower, block)), rowLengths);
        }

        var pairs = possible.nonzero();
        if (pairs.size(0) > 0)
        {
            var (query, row) = (pairs.select(1, 0).contiguous(), pairs.select(1, 1).contiguous());
            pending.Add((Kept(query), Kept(Direct(query, row, block)), Kept(row.Plus(start))));
        }

        // As many new pairs as old ones at least, so that sorting takes no longer than finding them.
        if (pending.Sum(part => part.Query.size(0)) >= values.numel())
        {
            Merge();
        }
    }

    /// <summary>The pairs that rounding does not exclude.</summary>
    private Tensor Possible(Tensor lower, Tensor worst, Tensor rowLengths)
    {
        var slack = innerProduct
            ? (lengths * rowLengths.max()).sqrt() * Held(rounding)
            : lengths * Held(2 * rounding - 1);
        var tiny = queries.size(1) * Math.ScaleB(1, queries.dtype == ScalarType.Float64 ? -1022 : -126);
        return (lower > worst.Plus(slack).Plus(tiny).unsqueeze(1)).logical_not();
    }

    /// <summary>A bound of each query's last value: that of the apparently nearest rows of this block.</summary>
    private Tensor WorstOf(Tensor lower, Tensor block)
    {
        var (_, nearest) = lower.topk(count, dim: 1, largest: false, sorted: false);
        var numbers = Indices(queries.size(0), device: queries.device).repeat_interleave(count);
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
            var values = innerProduct ? -q.mul_(d).sum(1) : q.sub_(d).pow_(Held(2)).sum(1);
            return values.to(queries.dtype).MoveToOuterDisposeScope();
        });
        return cat([.. parts]).MoveToOuterDisposeScope();
    }

    /// <summary>Takes in the pending pairs. Both sorts are stable and later rows stand behind, so equal values stay in the order
    /// of their numbers.</summary>
    private void Merge()
    {
        using var scope = NewDisposeScope();
        var numbers = Indices(queries.size(0), device: queries.device).repeat_interleave(count);
        var all = cat([values.flatten(), .. pending.Select(part => part.Value)]);
        var owners = cat([numbers, .. pending.Select(part => part.Query)]);
        var rows = cat([indices.flatten(), .. pending.Select(part => part.Number)]);
        pending.ForEach(part => Dispose(part.Query, part.Value, part.Number));
        pending.Clear();
        var byValue = all.sort(stable: true).Indices;
        var order = byValue.index_select(0, owners.index_select(0, byValue).sort(stable: true).Indices);

        var found = bincount(owners, minlength: queries.size(0));
        var kept = (found.cumsum(0) - found).unsqueeze(1).Plus(Indices(count, device: queries.device)).flatten();
        var best = order.index_select(0, kept);
        var (oldValues, oldIndices) = (values, indices);
        values = Kept(all.index_select(0, best).reshape(-1, count));
        indices = Kept(rows.index_select(0, best).reshape(-1, count));
        Dispose(oldValues, oldIndices);
    }

    /// <summary>A tensor that lives as long as this search.</summary>
    private Tensor Kept(Tensor x) => x.MoveToOtherDisposeScope(values);

    private static void Dispose(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (var x in tensors)
        {
            x.Dispose();
        }
    }

    private static double Rounding(Tensor x)
    {
        var unit = Math.ScaleB(1, x.dtype == ScalarType.Float64 ? -53 : -24);
        var factors = x.device_type == DeviceType.CUDA && x.dtype == ScalarType.Float32 && backends.cuda.matmul.allow_tf32 ? Math.ScaleB(1, -10) : 0;
        return (x.size(1) + 16) * unit + factors;
    }
}
