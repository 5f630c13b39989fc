using System.Text.Json;
using MultiScale.Data;
using MultiScale.Model;
using MultiScale.Search;
using MultiScale.Training;

namespace MultiScale.Report;

/// <summary>All that a run measured: what <c>metrics.json</c> holds, and the report shows.</summary>
/// <param name="Threads">Of the CPU.</param>
/// <param name="Seconds">Of the whole run.</param>
internal sealed record Metrics(
    RunOptions Options, Budget Budget, Source Source, IReadOnlyList<MethodResult> Results, SearchBudget Search, IReadOnlyList<SceneScore> Found,
    MapAgainstCrops Speed, IReadOnlyList<ExportCheck> Exports, string Device, int Threads, double Seconds)
{
    /// <summary>Probability from which a found object counts.</summary>
    public const double Threshold = 0.5;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public IReadOnlyList<int> Sizes => Source.TestSizes;

    public MethodResult Result(string name) => Results.Single(result => result.Method.Name == name);

    /// <summary>Of the search; where it found nothing, nothing of it is right.</summary>
    public SearchQuality Quality(double threshold = Threshold)
    {
        var (found, right, objects) = SceneScore.Count(Found, threshold);
        return new(found, right, objects);
    }

    public void Write(Stream stream)
    {
        var quality = Quality();
        JsonSerializer.Serialize(
            stream,
            new
            {
                options = new
                {
                    data = Options.Data,
                    quick = Options.Quick,
                    epochs = Options.Epochs,
                    seed = Options.Seed,
                    train_sizes = Options.TrainSizes,
                    draw = Options.Draw.ToString().ToLowerInvariant(),
                    batch_size = Budget.BatchSize,
                    learning_rate = Budget.LearningRate,
                    weight_decay = Budget.WeightDecay,
                },
                train_pictures = Source.Train.Count,
                test_pictures = Source.Test.Count,
                networks = Results.ToDictionary(result => result.Method.Name, Described),
                several_sizes_over_one = Finding.Differences(this).ToDictionary(
                    item => $"{item.Size}", item => new { difference = item.Difference, standard_error = item.Error }),
                search = new
                {
                    scenes = Found.Count,
                    objects = quality.Objects,
                    found = quality.Found,
                    right = quality.Right,
                    threshold = Threshold,
                    precision = quality.Precision,
                    recall = quality.Recall,
                    precision_standard_error = quality.PrecisionError,
                    recall_standard_error = quality.RecallError,
                    boxes = Speed.Boxes,
                    one_map_seconds = Speed.MapSeconds,
                    every_crop_seconds = Speed.CropSeconds,
                    ratio = Speed.Ratio,
                    ratio_least = Speed.Ratios[0],
                    ratio_most = Speed.Ratios[^1],
                    same_answers = Speed.Agreement.Same,
                    boxes_with_an_object = Speed.Agreement.ObjectBoxes,
                    same_answers_where_an_object = Speed.Agreement.SameObjects,
                    mean_probability_difference = Speed.Agreement.MeanDifference,
                    whole_scene_difference = Speed.WholeDifference,
                },
                export = Exports.Select(check => new { height = check.Height, width = check.Width, max_abs_difference = check.Difference, of_boxes = check.BoxDifference }),
                device = Device,
                threads = Threads,
                seconds = Math.Round(Seconds, 1),
            },
            Indented);
    }

    private static object Described(MethodResult result) => new
    {
        parameters = result.Parameters,
        trained_pictures_by_size = result.TrainedSizes.ToDictionary(size => $"{size.Key}", size => size.Value),
        train_seconds = Math.Round(result.Curve.Seconds, 4),
        milliseconds_per_picture = Math.Round(result.Milliseconds, 4),
        loss = result.Curve.Loss,
        accuracy = result.BySize.ToDictionary(test => $"{test.Key}", test => test.Value.Accuracy),
        standard_error = result.BySize.ToDictionary(test => $"{test.Key}", test => test.Value.Error),
    };
}
