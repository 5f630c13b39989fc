using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>A query, the best of its potential positives, and its hard negatives: numbers into queries and database.</summary>
internal sealed record TrainingTuple(int Query, int Positive, int[] Negatives);

/// <summary>Chooses training tuples by cached descriptors: the nearest database picture within 10 m, and the nearest of
/// sampled and remembered ones beyond 25 m.</summary>
internal sealed class TupleMiner
{
    private readonly TrainingOptions options;
    private readonly int[][] positives;
    private readonly HashSet<int>[] near;
    private readonly int databaseCount;

    public TupleMiner(PlaceSet places, TrainingOptions options)
    {
        this.options = options;
        databaseCount = places.Database.Count;
        positives = Within(places, TrainingOptions.PositiveRadius);
        near = Array.ConvertAll(Within(places, Recall.Radius), numbers => numbers.ToHashSet());
        Trainable = [.. Enumerable.Range(0, places.Queries.Count)
            .Where(q => positives[q].Length > 0 && near[q].Count + options.Negatives <= databaseCount)];
        Remembered = [.. places.Queries.Select(_ => Array.Empty<int>())];
    }

    /// <summary>Queries that have a potential positive and enough negatives.</summary>
    public int[] Trainable { get; }

    /// <summary>The hardest negatives of each query when it was last mined.</summary>
    public int[][] Remembered { get; set; }

    public bool IsNegative(int query, int database) => !near[query].Contains(database);

    public TrainingTuple Mine(int query, Tensor queryDescriptors, Tensor databaseDescriptors, Random random)
    {
        using var scope = NewDisposeScope();
        var similarity = databaseDescriptors.matmul(queryDescriptors[query]).cpu().data<float>().ToArray();
        var candidates = new HashSet<int>(Remembered[query]);

        // A tenth of the database, as the paper's 1000 of its 10,000.
        for (var left = Math.Clamp(databaseCount / 10, 100, 1000); left > 0; left--)
        {
            candidates.Add(random.Next(databaseCount));
        }

        candidates.RemoveWhere(d => !IsNegative(query, d));
        for (var d = 0; candidates.Count < options.Negatives; d++)
        {
            if (IsNegative(query, d))
            {
                candidates.Add(d);   // a database so small that the draws left too few
            }
        }

        int[] hardest = [.. candidates.OrderByDescending(d => similarity[d]).ThenBy(d => d)];
        Remembered[query] = hardest[..Math.Min(TrainingOptions.RememberedNegatives, hardest.Length)];
        return new(query, positives[query].MaxBy(d => similarity[d]), hardest[..options.Negatives]);
    }

    private static int[][] Within(PlaceSet places, double radius) =>
    [
        .. places.Queries.AsParallel().AsOrdered().Select(query =>
            Enumerable.Range(0, places.Database.Count).Where(d => query.DistanceTo(places.Database[d]) <= radius).ToArray()),
    ];
}
