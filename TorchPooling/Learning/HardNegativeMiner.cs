using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A query, the nearest of its potential positives, and its hard negatives, hardest first: numbers of pictures.</summary>
public sealed record MinedTuple(int Query, int Positive, int[] Negatives)
{
    /// <summary>The mined negatives, hardest first.</summary>
    public int[] Negatives { get; init; } = Negatives ?? throw new ArgumentNullException(nameof(Negatives));
}

/// <summary>Chooses training tuples by cached descriptors: the nearest potential positive, and the nearest of randomly drawn
/// and remembered negatives.</summary>
/// <remarks>
/// <para>For each mined query: negatives are drawn from the database, those that were its hardest when it was last mined are
/// added, and the nearest of them all are its hard negatives. Nearest is by the Euclidean distance of descriptors, a
/// descriptor with NaN being farthest; equally near ones are taken by their number. Beside the cache it takes less than
/// 200 MB, or 20 bytes for each picture of the database.</para>
/// <para>Arandjelović et al.: NetVLAD, CVPR 2016, supplementary material, whose numbers are the defaults; the paper renews the cache
/// every 500 to 1000 queries.</para>
/// </remarks>
public sealed class HardNegativeMiner : IDisposable
{
    private const int NumbersAtOnce = 1 << 23;   // of a table, 20 bytes each

    private readonly int[][] positives;
    private readonly int[][] excluded;
    private readonly int databaseCount;
    private readonly int negatives;
    private readonly int sampled;
    private readonly int remembered;
    private readonly bool[] trainable;
    private int[][] hardest;
    private Tensor? queryCache;
    private Tensor? databaseCache;
    private Tensor? halfSquares;   // ½‖d‖² of the database

    /// <param name="positives">Of each query the pictures that may show its place, ascending: in the paper those within 10 m.</param>
    /// <param name="excluded">Of each query the pictures that are not its negatives, ascending, its positives among them: in
    /// the paper those within 25 m. <see cref="Neighbors.Within"/> finds both.</param>
    /// <param name="databaseCount">How many pictures the database has.</param>
    /// <param name="negatives">Hard negatives of a tuple.</param>
    /// <param name="sampled">So many numbers are drawn, with replacement; those that are no negatives or came before are dropped.</param>
    /// <param name="remembered">Hardest negatives that a query keeps for its next turn.</param>
    /// <exception cref="ArgumentException">The lists are of different lengths, not ascending, beyond the database, or a
    /// positive is not excluded.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or <paramref name="negatives"/> is 0.</exception>
    public HardNegativeMiner(
        IReadOnlyList<int[]> positives, IReadOnlyList<int[]> excluded, int databaseCount,
        int negatives = 10, int sampled = 1000, int remembered = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(databaseCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(negatives);
        ArgumentOutOfRangeException.ThrowIfNegative(sampled);
        ArgumentOutOfRangeException.ThrowIfNegative(remembered);
        this.databaseCount = databaseCount;
        this.positives = Ascending(positives, nameof(positives));
        this.excluded = Ascending(excluded, nameof(excluded));
        CheckExcluded();
        this.negatives = negatives;
        this.sampled = sampled;
        this.remembered = remembered;
        trainable = [.. this.positives.Zip(this.excluded, (near, far) => near.Length > 0 && negatives <= databaseCount - far.Length)];
        hardest = [.. this.positives.Select(_ => Array.Empty<int>())];
    }

    /// <summary>The queries that have a potential positive and enough negatives, ascending: those that can be mined.</summary>
    public int[] Trainable => [.. Enumerable.Range(0, trainable.Length).Where(q => trainable[q])];

    /// <summary>The hardest negatives of each query when it was last mined; to be saved with a checkpoint and set again.</summary>
    /// <exception cref="ArgumentException">Set to another number of queries, or to pictures beyond the database.</exception>
    public int[][] Remembered
    {
        get => [.. hardest.Select(list => list.ToArray())];
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Length != hardest.Length || value.Any(list => list is null || list.Any(d => d < 0 || d >= databaseCount)))
            {
                throw new ArgumentException(
                    $"expected a list for each of {hardest.Length} queries, of numbers below {databaseCount}, got {value.Length} lists", nameof(value));
            }

            hardest = [.. value.Select(list => list.ToArray())];
        }
    }

    /// <summary>Whether a database picture counts as a negative of a query.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such query or no such picture.</exception>
    public bool IsNegative(int query, int database)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(query);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(query, excluded.Length);
        ArgumentOutOfRangeException.ThrowIfNegative(database);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(database, databaseCount);
        return Array.BinarySearch(excluded[query], database) < 0;
    }

    /// <summary>Renews the cache: the descriptors of all pictures as the network gives them now.</summary>
    /// <remarks>float32 and float64 are not copied: leave the tensors as they are until the next renewal. They may be disposed.</remarks>
    /// <param name="queries">Shape (Q, D), a row for each query.</param>
    /// <param name="database">Shape (M, D), a row for each database picture, of the dtype and device of <paramref name="queries"/>.</param>
    /// <exception cref="ArgumentException">A tensor has another shape, dtype or device.</exception>
    public void Refresh(Tensor queries, Tensor database)
    {
        CheckRows(queries, positives.Length, nameof(queries));
        CheckRows(database, databaseCount, nameof(database));
        Check.Exactly(database, [databaseCount, queries.size(1)], nameof(database));
        Check.Like(database, queries, nameof(database));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var dtype = Check.AtLeastFloat32(queries.dtype);
        var wide = database.detach().to(dtype);
        Forget();
        queryCache = Keep(queries.detach().to(dtype));
        databaseCache = Keep(wide);
        halfSquares = Keep(wide.norm(1).Squared() / Held(2));
    }

    /// <summary>Mines a tuple for each query, in their order.</summary>
    /// <param name="queries">Numbers of queries, each <see cref="Trainable"/>.</param>
    /// <param name="random">Draws the negatives: in the same state it gives the same tuples.</param>
    /// <exception cref="ArgumentException">A query cannot be mined.</exception>
    /// <exception cref="InvalidOperationException">There are no descriptors yet: see <see cref="Refresh"/>.</exception>
    public MinedTuple[] Mine(IReadOnlyList<int> queries, Random random)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(random);
        foreach (var query in queries)
        {
            if (query < 0 || query >= trainable.Length || !trainable[query])
            {
                throw new ArgumentException(
                    $"expected queries with a positive and {negatives} negatives, of {trainable.Length}, got query {query}", nameof(queries));
            }
        }

        if (queryCache is null)
        {
            throw new InvalidOperationException("expected descriptors: call Refresh first");
        }

        return [.. queries.Chunk(Math.Clamp(NumbersAtOnce / Math.Max(1, databaseCount), 1, 64)).SelectMany(chunk => MineChunk(chunk, random))];
    }

    /// <summary>Lets go of the cached descriptors.</summary>
    public void Dispose() => Forget();

    private MinedTuple[] MineChunk(int[] queries, Random random)
    {
        var nearness = Nearness(queries);
        return [.. queries.Select((query, row) => MineOne(query, new(nearness, row * databaseCount, databaseCount), random))];
    }

    private MinedTuple MineOne(int query, ArraySegment<double> nearness, Random random)
    {
        int[] found =
        [
            .. Candidates(query, random).OrderByDescending(d => nearness[d]).ThenBy(d => d).Take(Math.Max(negatives, remembered)),
        ];
        hardest[query] = found[..Math.Min(remembered, found.Length)];
        return new(query, positives[query].MaxBy(d => nearness[d]), found[..negatives]);
    }

    /// <summary>q·d − ½‖d‖² = ½‖q‖² − ½‖q − d‖², row by row: the larger, the nearer.</summary>
    private double[] Nearness(int[] queries)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var chosen = queryCache!.index_select(0, tensor(Array.ConvertAll(queries, q => (long)q), device: queryCache.device));
        var nearness = addmm(halfSquares!, chosen, databaseCache!.t(), beta: -1, alpha: 1).to(ScalarType.Float64).cpu();
        return MemoryMarshal.Cast<byte, double>(nearness.bytes).ToArray();
    }

    private HashSet<int> Candidates(int query, Random random)
    {
        var candidates = new HashSet<int>(hardest[query]);
        for (var left = Math.Min(sampled, 64L * databaseCount); left > 0; left--)   // of so many draws none is left out
        {
            candidates.Add(random.Next(databaseCount));
        }

        candidates.RemoveWhere(d => !IsNegative(query, d));
        for (var d = 0; candidates.Count < negatives; d++)
        {
            if (IsNegative(query, d))
            {
                candidates.Add(d);   // the draws left too few
            }
        }

        return candidates;
    }

    private static Tensor Keep(Tensor x)
    {
        var kept = x.MoveToOuterDisposeScope();
        kept.DetachFromDisposeScope();
        return kept;
    }

    private void Forget()
    {
        queryCache?.Dispose();
        databaseCache?.Dispose();
        halfSquares?.Dispose();
        (queryCache, databaseCache, halfSquares) = (null, null, null);
    }

    private int[][] Ascending(IReadOnlyList<int[]> lists, string name)
    {
        ArgumentNullException.ThrowIfNull(lists, name);
        for (var q = 0; q < lists.Count; q++)
        {
            var last = -1;
            foreach (var d in lists[q] ?? throw new ArgumentException($"expected a list for each query, got none for query {q}", name))
            {
                if (d <= last || d >= databaseCount)
                {
                    throw new ArgumentException($"expected ascending numbers below {databaseCount}, got {d} after {last} for query {q}", name);
                }

                last = d;
            }
        }

        return [.. lists.Select(list => list.ToArray())];
    }

    private void CheckExcluded()
    {
        if (positives.Length != excluded.Length)
        {
            throw new ArgumentException($"expected lists for {positives.Length} queries, got {excluded.Length}", nameof(excluded));
        }

        for (var q = 0; q < positives.Length; q++)
        {
            if (Array.FindIndex(positives[q], d => IsNegative(q, d)) is var i and >= 0)
            {
                throw new ArgumentException($"expected the positives among them, got none of number {positives[q][i]} for query {q}", nameof(excluded));
            }
        }
    }

    private static void CheckRows(Tensor x, long rows, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != 2 || x.size(0) != rows || x.size(1) < 1)
        {
            throw new ArgumentException($"expected descriptors ({rows}, D ≥ 1), got {x.dim()} dimensions {Check.Shape(x)}", name);
        }

        Check.FloatingPoint(x, name);
    }
}
