using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>How good the answers of a retrieval are: recall@N, mean average precision, the precision–recall curve.</summary>
public static class RetrievalMetrics
{
    /// <summary>Whether each answer was taken within <paramref name="radius"/> of its query: √(Δeast² + Δnorth²) ≤ radius.</summary>
    /// <param name="indices">Answers (Q, N): numbers of database pictures, int64, nearest first, as <see cref="NearestNeighbors"/> gives.</param>
    /// <param name="queries">Where the queries were taken, in metres (UTM).</param>
    /// <param name="database">Where the database pictures were taken.</param>
    /// <param name="radius">Metres; 25 in Arandjelović et al.: NetVLAD, CVPR 2016, section 5.1.</param>
    /// <returns>bool, (Q, N), on the CPU.</returns>
    /// <exception cref="ArgumentException">Another shape or dtype, a position that is not finite, or a number beyond the database.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="radius"/> is negative or not finite.</exception>
    public static Tensor Right(
        Tensor indices, IReadOnlyList<(double East, double North)> queries, IReadOnlyList<(double East, double North)> database, double radius = 25)
    {
        Neighbors.CheckPositions(queries, nameof(queries));
        Neighbors.CheckPositions(database, nameof(database));
        Check.NotNegative(radius, nameof(radius));
        CheckAnswers(indices, queries.Count);
        if (indices.numel() == 0)
        {
            return zeros(indices.shape, dtype: ScalarType.Bool);
        }

        using var scope = NewDisposeScope();
        var answers = indices.cpu().contiguous().data<long>().ToArray();
        var wrong = Array.FindIndex(answers, answer => answer < 0 || answer >= database.Count);
        if (wrong >= 0)
        {
            throw new ArgumentException($"expected numbers of the {database.Count} database pictures, got {answers[wrong]}", nameof(indices));
        }

        var depth = (int)indices.size(1);
        var right = answers.Select((answer, i) => Neighbors.Distance(queries[i / depth], database[(int)answer]) <= radius).ToArray();
        return tensor(right).view(indices.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Whether each query has any database picture within <paramref name="radius"/>.</summary>
    /// <param name="queries">Where the queries were taken, in metres (UTM).</param>
    /// <param name="database">Where the database pictures were taken.</param>
    /// <param name="radius">Metres.</param>
    /// <returns>bool, (Q), on the CPU.</returns>
    /// <exception cref="ArgumentException">A position is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="radius"/> is negative or not finite.</exception>
    public static Tensor Answerable(
        IReadOnlyList<(double East, double North)> queries, IReadOnlyList<(double East, double North)> database, double radius = 25) =>
        tensor(Array.ConvertAll(Neighbors.Within(queries, database, radius), near => near.Length > 0));

    /// <summary>Recall@1, …, recall@N: the share of all queries with at least one right answer among the first n.</summary>
    /// <remarks>A query without a right picture in the database counts as not found.</remarks>
    /// <param name="right">Whether each answer is right, bool, (Q, N), Q ≥ 1, from <see cref="Right"/>.</param>
    /// <exception cref="ArgumentException">Another shape or dtype, or no queries.</exception>
    public static double[] Recall(Tensor right)
    {
        CheckBool(right, 2, "(Q, N)", nameof(right));
        CheckAny(right.size(0), nameof(right));
        using var scope = NewDisposeScope();
        var found = right.@long().cumsum(1) > Held(0);
        return found.to(ScalarType.Float64).mean([0]).cpu().data<double>().ToArray();
    }

    /// <summary>Mean average precision as the Oxford and Paris benchmarks define it.</summary>
    /// <remarks>
    /// <para>AP = (1/P) Σⱼ ½(pⱼ + p′ⱼ) over the positives found, the j-th of them (from 0) at the rank rⱼ (from 0, ignored
    /// pictures left out), with the precision p′ⱼ = (j + 1)/(rⱼ + 1) at it and pⱼ = j/rⱼ before it (1 at rank 0): the area by
    /// trapezoids under the precision–recall curve, not the mean of p′ⱼ. P is the number of all positives.</para>
    /// <para>A query without positives has AP NaN and does not count. Philbin et al.: Object retrieval with large
    /// vocabularies and fast spatial matching, CVPR 2007; Radenović et al.: Revisiting Oxford and Paris, CVPR 2018.</para>
    /// </remarks>
    /// <param name="indices">Answers (Q, N), int64, nearest first; the benchmarks rank the whole database. A positive beyond N counts as never found.</param>
    /// <param name="positives">For each query the numbers of the right database pictures.</param>
    /// <param name="ignored">For each query those that count neither as right nor as wrong ("junk"); null for none.</param>
    /// <returns>The mean, and the AP of each query.</returns>
    /// <exception cref="ArgumentException">Another shape, dtype or number of queries, an answer that comes twice, a picture that
    /// is both positive and ignored, or no query with positives.</exception>
    public static (double Mean, double[] PerQuery) MeanAveragePrecision(
        Tensor indices, IReadOnlyList<long[]> positives, IReadOnlyList<long[]>? ignored = null)
    {
        ArgumentNullException.ThrowIfNull(positives);
        CheckAnswers(indices, positives.Count);
        if (ignored is not null && ignored.Count != positives.Count)
        {
            throw new ArgumentException($"expected ignored pictures of {positives.Count} queries, got {ignored.Count}", nameof(ignored));
        }

        if (positives.Any(list => list is null))
        {
            throw new ArgumentException("expected a list for each query, got null among them", nameof(positives));
        }

        using var scope = NewDisposeScope();
        var answers = indices.cpu().contiguous();
        var perQuery = new double[positives.Count];
        for (var q = 0; q < perQuery.Length; q++)
        {
            using var row = answers.select(0, q);
            perQuery[q] = AveragePrecision(row.data<long>().ToArray(), positives[q], ignored?[q] ?? [], q);
        }

        var counted = perQuery.Where(double.IsFinite).ToArray();
        return counted.Length > 0
            ? (counted.Average(), perQuery)
            : throw new ArgumentException($"expected a query with positives, got none among {perQuery.Length}", nameof(positives));
    }

    /// <summary>The precision–recall curve of the first answers, given only where their distance is at most a threshold.</summary>
    /// <remarks>
    /// <para>At each threshold t that occurs: precision = right answers given / answers given, recall = right answers given /
    /// answerable queries. An answer to a query that has none is wrong. Average precision Σᵢ(Rᵢ − Rᵢ₋₁)Pᵢ, R₋₁ = 0, by steps.</para>
    /// <para>Single-best-match evaluation of Schubert et al.: Visual Place Recognition: A Tutorial, IEEE Robotics and
    /// Automation Magazine 2023, with every threshold.</para>
    /// </remarks>
    /// <param name="distances">Of each query to its first answer, (Q), floating-point, smaller is surer: inner products with the sign changed.</param>
    /// <param name="right">Whether that answer is right, bool, (Q).</param>
    /// <param name="answerable">Whether the query has a right picture, bool, (Q), from <see cref="Answerable"/>; null for all.</param>
    /// <returns>Thresholds, ascending, with precision and recall at each, and the average precision.</returns>
    /// <exception cref="ArgumentException">Another shape or dtype, NaN, no answerable query, or a right answer to a query that is not.</exception>
    public static (double[] Thresholds, double[] Precision, double[] Recall, double AveragePrecision) PrecisionRecall(
        Tensor distances, Tensor right, Tensor? answerable = null)
    {
        CheckBool(right, 1, "(Q)", nameof(right));
        ArgumentNullException.ThrowIfNull(distances);
        Check.FloatingPoint(distances, nameof(distances));
        Check.Exactly(distances, right.shape, nameof(distances));
        using var scope = NewDisposeScope();
        var ends = distances.detach().cpu().to(ScalarType.Float64).data<double>().ToArray();
        var hits = right.cpu().data<bool>().ToArray();
        var known = Known(hits, answerable);
        if (ends.Any(double.IsNaN))
        {
            throw new ArgumentException("expected distances, got NaN among them", nameof(distances));
        }

        var order = Enumerable.Range(0, ends.Length).GroupBy(q => ends[q]).OrderBy(group => group.Key);
        var (thresholds, precision, recall) = (new List<double>(), new List<double>(), new List<double>());
        var (given, correct, area) = (0, 0, 0.0);
        foreach (var group in order)
        {
            var more = group.Count(q => hits[q]);
            (given, correct) = (given + group.Count(), correct + more);
            thresholds.Add(group.Key);
            precision.Add((double)correct / given);
            recall.Add((double)correct / known);
            area += (double)more / known * precision[^1];
        }

        return ([.. thresholds], [.. precision], [.. recall], area);
    }

    private static int Known(bool[] right, Tensor? answerable)
    {
        if (answerable is not null)
        {
            CheckBool(answerable, 1, "(Q)", nameof(answerable));
            Check.Exactly(answerable, [right.Length], nameof(answerable));
        }

        var known = answerable?.cpu().data<bool>().ToArray() ?? [.. right.Select(_ => true)];
        var query = Array.FindIndex([.. right.Zip(known)], pair => pair is (true, false));
        if (query >= 0)
        {
            throw new ArgumentException($"expected right answers to answerable queries only, got one to query {query}", nameof(answerable));
        }

        CheckAny(known.Count(q => q), answerable is null ? nameof(right) : nameof(answerable));
        return known.Count(q => q);
    }

    private static double AveragePrecision(long[] answers, long[] positives, long[] ignored, int query)
    {
        var (right, neutral) = (positives.ToHashSet(), ignored.ToHashSet());
        if (right.Overlaps(neutral))
        {
            throw new ArgumentException($"expected pictures either positive or ignored, got {right.First(neutral.Contains)} as both for query {query}", nameof(ignored));
        }

        if (answers.Distinct().Count() != answers.Length)
        {
            throw new ArgumentException($"expected each picture once among the answers, got one twice for query {query}", "indices");
        }

        var (rank, found, area) = (0, 0, 0.0);
        foreach (var answer in answers.Where(answer => !neutral.Contains(answer)))
        {
            if (right.Contains(answer))
            {
                area += ((rank == 0 ? 1 : (double)found / rank) + (found + 1.0) / (rank + 1)) / 2;
                found++;
            }

            rank++;
        }

        return right.Count == 0 ? double.NaN : area / right.Count;
    }

    private static void CheckAnswers(Tensor indices, long queries)
    {
        ArgumentNullException.ThrowIfNull(indices);
        if (indices.dim() != 2 || indices.size(0) != queries || indices.dtype != ScalarType.Int64)
        {
            throw new ArgumentException($"expected answers (Q, N) in Int64 with Q = {queries}, got {indices.dtype} {Check.Shape(indices)}", nameof(indices));
        }

        Check.Dense(indices, nameof(indices));
    }

    private static void CheckBool(Tensor x, int dimensions, string shape, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != dimensions || x.dtype != ScalarType.Bool)
        {
            throw new ArgumentException($"expected {shape} in Bool, got {x.dtype} {Check.Shape(x)}", name);
        }

        Check.Dense(x, name);
    }

    private static void CheckAny(long queries, string name)
    {
        if (queries == 0)
        {
            throw new ArgumentException("expected at least one query with an answer to find, got none", name);
        }
    }
}
