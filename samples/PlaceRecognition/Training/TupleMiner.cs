using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using TorchSharp;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>A query, the best of its potential positives, and its hard negatives; numbers into queries and database.</summary>
internal sealed record TrainingTuple(int Query, int Positive, int[] Negatives);

/// <summary>Chooses training tuples by cached descriptors: the nearest database picture within 10 m, and the nearest of
/// sampled and remembered ones beyond 25 m.</summary>
internal sealed class TupleMiner
{
    private readonly TrainingOptions options;
    private readonly int[][] positives;
    private readonly int[][] nonNegatives;
    private readonly int databaseCount;

    public TupleMiner(PlaceSet places, TrainingOptions options)
    {
        this.options = options;
        databaseCount = places.Database.Count;
        positives = Within(places, TrainingOptions.PositiveRadius);
        nonNegatives = Within(places, Recall.Radius);
        Trainable = [.. Enumerable.Range(0, places.Queries.Count)
            .Where(q => positives[q].Length > 0 && nonNegatives[q].Length + options.Negatives <= databaseCount)];
        Remembered = [.. places.Queries.Select(_ => Array.Empty<int>())];
    }

    /// <summary>Queries that have a potential positive and enough negatives.</summary>
    public int[] Trainable { get; }

    /// <summary>The hardest negatives of each query when it was last mined.</summary>
    public int[][] Remembered { get; set; }

    public TrainingTuple Mine(int query, Tensor queryDescriptors, Tensor databaseDescriptors, Random random)
    {
        using var scope = NewDisposeScope();
        var similarity = databaseDescriptors.matmul(queryDescriptors[query]).data<float>().ToArray();
        var excluded = nonNegatives[query].ToHashSet();
        var candidates = new HashSet<int>(Remembered[query]);
        if (databaseCount <= TrainingOptions.SampledNegatives && Environment.GetEnvironmentVariable("SN") is null)
        {
            candidates.UnionWith(Enumerable.Range(0, databaseCount));
        }
        else
        {
            for (var i = 0; i < TrainingOptions.SampledNegatives; i++)
            {
                candidates.Add(random.Next(databaseCount));
            }
        }

        candidates.ExceptWith(excluded);
        var hardest = candidates.OrderByDescending(d => similarity[d]).ThenBy(d => d).ToArray();
        while (hardest.Length < options.Negatives)
        {
            var another = random.Next(databaseCount);   // few distinct draws: fill up at random
            hardest = excluded.Contains(another) || hardest.Contains(another) ? hardest : [.. hardest, another];
        }

        Remembered[query] = hardest[..Math.Min(TrainingOptions.RememberedNegatives, hardest.Length)];
        return new(query, positives[query].MaxBy(d => similarity[d]), hardest[..options.Negatives]);
    }

    private static int[][] Within(PlaceSet places, double radius) =>
    [
        .. places.Queries.AsParallel().AsOrdered().Select(query =>
            Enumerable.Range(0, places.Database.Count).Where(d => query.DistanceTo(places.Database[d]) <= radius).ToArray()),
    ];
}
