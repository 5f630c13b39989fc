using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using TorchPooling;

namespace PlaceRecognition.Training;

/// <summary>Which database pictures were taken near which training query: found once for all poolings of a run.</summary>
internal sealed class Neighborhood
{
    private readonly int[][] positives;
    private readonly int[][] near;
    private readonly int databaseCount;

    public Neighborhood(PlaceSet places)
    {
        var (queries, database) = (Recall.Positions(places.Queries), Recall.Positions(places.Database));
        positives = Neighbors.Within(queries, database, TrainingOptions.PositiveRadius);
        near = Neighbors.Within(queries, database, Recall.Radius);
        databaseCount = database.Length;
    }

    /// <summary>A miner that remembers nothing yet; it draws a tenth of the database, as the paper's 1000 of its 10,000, but at
    /// most these 1000 pictures and at least 100: so many of the drawn streets' 640.</summary>
    public HardNegativeMiner CreateMiner(TrainingOptions options) =>
        new(positives, near, databaseCount, options.Negatives, Math.Clamp(databaseCount / 10, 100, 1000), TrainingOptions.RememberedNegatives);
}
