using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Exact nearest neighbours by matrix products in blocks, on the device of the tensors.</summary>
/// <remarks>
/// <para>‖q − d‖² = ‖q‖² − 2qᵀd + ‖d‖² finds the candidates: all pairs that the rounding of the product leaves in question.
/// Their values are then summed directly, Σ(qᵢ − dᵢ)² or Σqᵢdᵢ, in float64, so that equal vectors are at distance 0 and
/// block sizes do not show. Equal values are ordered by the smaller index.</para>
/// <para>Where very many rows are as near as the last neighbour, copies of one vector for instance, each of them is summed
/// directly, which takes longer.</para>
/// </remarks>
public static class NearestNeighbors
{
    private const long QueryRows = 1024;

    /// <summary>Finds the nearest rows of <paramref name="database"/> for each row of <paramref name="queries"/>.</summary>
    /// <param name="queries">Shape (Q, D), floating-point, finite; half precision is widened to float32.</param>
    /// <param name="database">Shape (M, D), M ≥ <paramref name="count"/>, on the same device, of the same dtype where float64; float16, bfloat16
    /// and float32 go together.</param>
    /// <param name="count">Neighbours of each query.</param>
    /// <param name="innerProduct">Largest inner product qᵀd, the cosine of unit vectors, in place of the smallest ‖q − d‖².</param>
    /// <param name="workBytes">About how much memory may be used beside the arguments and some copies of the result.</param>
    /// <returns>Squared distances, ascending, or inner products, descending, at least float32; and the numbers of the rows, int64; both (Q, count).</returns>
    /// <exception cref="ArgumentException">Another shape, dtype or device, or a value that is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not in 1 … M, or <paramref name="workBytes"/> not positive.</exception>
    public static (Tensor Values, Tensor Indices) Find(
        Tensor queries, Tensor database, int count, bool innerProduct = false, long workBytes = 1L << 28)
    {
        ArgumentNullException.ThrowIfNull(database);
        if (database.dim() == 2 && count > database.size(0))
        {
            throw TooMany(count, database.size(0));
        }

        return FindInBlocks(queries, [database], count, innerProduct, workBytes);
    }

    /// <summary><see cref="Find"/> for a database that comes in blocks of rows, from a file for instance, and is never held whole.</summary>
    /// <param name="queries">Shape (Q, D), floating-point, finite; half precision is widened to float32.</param>
    /// <param name="database">Blocks (m, D) that follow each other; those made while they are enumerated are disposed after use.</param>
    /// <param name="count">Neighbours of each query.</param>
    /// <param name="innerProduct">Largest inner product qᵀd in place of the smallest ‖q − d‖².</param>
    /// <param name="workBytes">About how much memory may be used beside the queries, a block and some copies of the result.</param>
    /// <inheritdoc cref="Find"/>
    public static (Tensor Values, Tensor Indices) FindInBlocks(
        Tensor queries, IEnumerable<Tensor> database, int count, bool innerProduct = false, long workBytes = 1L << 28)
    {
        CheckDescriptors(queries, nameof(queries));
        ArgumentNullException.ThrowIfNull(database);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workBytes);
        Check.Memory([queries.size(0), count], ScalarType.Int64, nameof(count), copies: 2);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var wide = Widened(queries, nameof(queries));
        var elements = Math.Max(1, workBytes / (24 * wide.dtype.ElementSize()));
        var rows = Math.Max(1, elements / Math.Max(Math.Min(QueryRows, wide.size(0)), wide.size(1)));
        var offset = innerProduct || wide.size(0) == 0 ? null : wide.mean([0]);   // a common offset would cost digits
        var searches = wide.split(Math.Min(QueryRows, elements)).Select(q => new NeighborSearch(q, offset, count, innerProduct, elements)).ToArray();
        var start = 0L;
        using var blocks = database.GetEnumerator();
        while (true)
        {
            using var step = NewDisposeScope();
            if (!blocks.MoveNext())
            {
                break;
            }

            CheckBlock(blocks.Current, queries);
            for (var first = 0L; first < blocks.Current.size(0); first += rows)
            {
                using var part = NewDisposeScope();
                var block = Widened(blocks.Current.narrow(0, first, Math.Min(rows, blocks.Current.size(0) - first)), nameof(database));
                Array.ForEach(searches, search => search.Add(block, start + first));
            }

            start += blocks.Current.size(0);
        }

        return count <= start ? Results(searches, innerProduct) : throw TooMany(count, start);
    }

    private static (Tensor Values, Tensor Indices) Results(NeighborSearch[] searches, bool innerProduct)
    {
        var found = Array.ConvertAll(searches, search => search.Nearest());
        var values = cat([.. found.Select(part => part.Values)]);
        var indices = cat([.. found.Select(part => part.Indices)]);
        return ((innerProduct ? -values : values).MoveToOuterDisposeScope(), indices.MoveToOuterDisposeScope());
    }

    private static void CheckDescriptors(Tensor x, string name)
    {
        Check.Matrix(x, 0, null, name);
    }

    private static void CheckBlock(Tensor block, Tensor queries)
    {
        Check.Matrix(block, 0, queries.size(1), "database");
        if (Check.AtLeastFloat32(block.dtype) != Check.AtLeastFloat32(queries.dtype) || !Check.SameDevice(block, queries))
        {
            throw new ArgumentException($"expected {queries.dtype} on {queries.device} as the queries have, got {block.dtype} on {block.device}", "database");
        }
    }

    private static Tensor Widened(Tensor x, string name)
    {
        // Sixteen times the squares of what is subtracted must not overflow.
        var limit = (x.dtype == ScalarType.Float64 ? double.MaxValue : float.MaxValue) / 16;
        var wide = x.detach().to(Check.AtLeastFloat32(x.dtype));
        return (wide.Squared().sum(1) < Held(limit)).all().ToBoolean()
            ? wide
            : throw new ArgumentException($"expected finite descriptors with ‖x‖² < {limit:G2}, got NaN, infinity or a longer one among them", name);
    }

    private static ArgumentOutOfRangeException TooMany(int count, long rows) =>
        new(nameof(count), count, $"expected at most the {rows} rows of the database");
}
