using System.Text.Json;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>What <c>choose-k.json</c> holds; an infinite number is null there.</summary>
internal sealed record ChooseKMetrics(RunOptions Options, KChoice Choice, string Device)
{
    public void Write(Stream stream) => JsonSerializer.Serialize(
        stream,
        new Dictionary<string, object?>
        {
            ["pooling"] = Options.Training.Poolings[0],
            ["options"] = new Dictionary<string, object?>(Metrics.Described(Options)) { ["clusters"] = Choice.Trials.Select(trial => trial.Clusters) },
            ["device"] = Device,
            ["validation_queries"] = Choice.Queries,
            ["best_clusters"] = Choice.Best.Clusters,
            ["chosen_clusters"] = Choice.Chosen.Clusters,
            ["finding"] = ChooseKFinding.Of(Choice),
            ["trials"] = Choice.Trials.Select(Trial),
        },
        Metrics.Indented);

    private Dictionary<string, object?> Trial(ClusterTrial trial) => new()
    {
        ["clusters"] = trial.Clusters,
        ["start"] = new Dictionary<string, object?>
        {
            ["alpha"] = Finite(trial.Start.Alpha),
            ["contrast"] = Finite(trial.Start.Contrast),
            ["quantization_error"] = trial.Start.QuantizationError,
            ["used_clusters"] = trial.Start.UsedClusters,
            ["entropy"] = trial.Start.Entropy,
            ["seconds"] = trial.StartSeconds,
        },
        ["untrained"] = Metrics.Recalls(trial.Untrained),
        ["trained"] = trial.Training is { } training ? Metrics.Recalls(training.Trained) : null,
        ["standard_error@1"] = Choice.Error(trial.FirstRecall),
        ["below_best@1"] = Choice.Lag(trial),
        ["standard_error_of_below_best@1"] = Choice.LagError(trial),
        ["best_epoch"] = trial.Training?.BestEpoch + 1,
        ["train_seconds"] = trial.Training?.TrainSeconds,
        ["dimensions"] = trial.Dimensions,
        ["bytes_per_picture"] = trial.Bytes,
        ["pooling_seconds_per_picture"] = trial.PoolingSeconds,
        ["search_seconds_per_query_of_a_million"] = trial.SearchSeconds,
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
