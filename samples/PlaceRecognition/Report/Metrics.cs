using System.Text.Json;
using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>What <c>metrics.json</c> holds.</summary>
internal sealed record Metrics(
    RunOptions Options, IReadOnlyDictionary<string, PoolingProgress> Poolings, PlaceSet Test, string Exported, double MaxAbsDifference, string Device)
{
    /// <summary>Pictures that the exported network describes a second.</summary>
    public double ImagesPerSecond => 1000 / Poolings[Exported].Speed!.Network;

    /// <summary>Of a trained network's first answers.</summary>
    public double AveragePrecision(PoolingProgress progress) => Recall.PrecisionRecall(progress.FirstDistance, progress.FirstRight, Test).Average;

    internal static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public void Write(Stream stream) => JsonSerializer.Serialize(
        stream,
        new Dictionary<string, object>
        {
            ["options"] = Described(Options),
            ["test_queries"] = Test.Queries.Count,
            ["test_database_pictures"] = Test.Database.Count,
            ["poolings"] = Poolings.ToDictionary(p => p.Key, p => new Dictionary<string, object>
            {
                ["untrained"] = Recalls(p.Value.Untrained),
                ["trained"] = Recalls(p.Value.Trained),
                ["standard_error@1"] = p.Value.FirstError(),
                ["average_precision"] = AveragePrecision(p.Value),
                ["dimensions"] = p.Value.Dimensions,
                ["milliseconds_per_image"] = Math.Round(p.Value.Speed!.Network, 4),
                ["milliseconds_per_image_of_pooling"] = Math.Round(p.Value.Speed.Pooling, 4),
                ["milliseconds_per_query_of_second_look"] = Math.Round(p.Value.Speed.SecondLook, 2),
                ["train_seconds"] = Math.Round(p.Value.TrainSeconds, 2),
                ["best_epoch"] = p.Value.BestEpoch + 1,
                ["loss"] = p.Value.Loss,
            }),
            ["export"] = new Dictionary<string, object> { ["pooling"] = Exported, ["max_abs_difference"] = MaxAbsDifference },
            ["images_per_second"] = Math.Round(ImagesPerSecond, 1),
            ["device"] = Device,
        },
        Indented);

    /// <summary>What a run was asked for.</summary>
    internal static Dictionary<string, object?> Described(RunOptions options) => new()
    {
        ["data"] = options.Data,
        ["quick"] = options.Quick,
        ["hard_queries"] = options.HardQueries,
        ["image_size"] = $"{options.ImageSize}",
        ["clusters"] = options.Training.Clusters,
        ["epochs"] = options.Training.Epochs,
        ["queries_per_epoch"] = options.Training.QueriesPerEpoch,
        ["negatives"] = options.Training.Negatives,
        ["learning_rate"] = options.Training.LearningRate,
        ["seed"] = options.Training.Seed,
    };

    internal static Dictionary<string, double> Recalls(double[] curve) =>
        new[] { 1, 5, 10 }.ToDictionary(n => $"recall@{n}", n => Recall.At(curve, n));
}
