using System.Text.Json;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>What <c>metrics.json</c> holds.</summary>
internal sealed record Metrics(IReadOnlyDictionary<string, PoolingProgress> Poolings, string Exported, double MaxAbsDifference, string Device)
{
    /// <summary>Pictures that the exported network describes a second.</summary>
    public double ImagesPerSecond => 1000 / Poolings[Exported].Speed!.Network;

    internal static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public void Write(Stream stream) => JsonSerializer.Serialize(
        stream,
        new Dictionary<string, object>
        {
            ["poolings"] = Poolings.ToDictionary(p => p.Key, p => new Dictionary<string, object>
            {
                ["untrained"] = Recalls(p.Value.Untrained),
                ["trained"] = Recalls(p.Value.Trained),
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

    internal static Dictionary<string, double> Recalls(double[] curve) =>
        new[] { 1, 5, 10 }.ToDictionary(n => $"recall@{n}", n => Recall.At(curve, n));
}
