using System.Text.Json;
using PlaceRecognition.Data;
using PlaceRecognition.Training;

namespace PlaceRecognition.Commands;

/// <summary>What a training run was asked for.</summary>
/// <param name="Data">Folder of photographs; the drawn streets where null.</param>
internal sealed record RunOptions(
    string? Data, bool SkipUnreadable, bool Quick, string Folder, bool Resume, ImageSize ImageSize, string Device, TrainingOptions Training)
{
    public string CheckpointPath => Path.Combine(Folder, "checkpoint");

    /// <summary>What a resumed run must share with the interrupted one.</summary>
    public string Settings => JsonSerializer.Serialize(new { Data = Data is null ? null : Path.GetFullPath(Data), Quick, ImageSize, Training });

    /// <summary>The smallest height and width that the pooling of the backbone leaves something of.</summary>
    public int MinimumSide => 1 << (Training.Blocks.Length - 1);

    /// <exception cref="UserException">An option has a value that cannot be.</exception>
    public void Check()
    {
        Require(
            Math.Min(ImageSize.Height, ImageSize.Width) >= MinimumSide,
            $"--image-size: the network takes images from {MinimumSide}x{MinimumSide} pixels, got {ImageSize}");
        Require(Training.Poolings.Length > 0, "--pooling: expected one or more poolings");
        Require(Training.Poolings.Distinct().Count() == Training.Poolings.Length, $"--pooling: expected each pooling once, got {string.Join(',', Training.Poolings)}");
        foreach (var kind in Training.Poolings)
        {
            Require(Model.PoolingKind.All.Contains(kind), $"--pooling: expected some of {string.Join(',', Model.PoolingKind.All)}, got '{kind}'");
        }

        AtLeastOne("--epochs", Training.Epochs);
        AtLeastOne("--queries-per-epoch", Training.QueriesPerEpoch);
        AtLeastOne("--clusters", Training.Clusters);
        AtLeastOne("--negatives", Training.Negatives);
        Require(Training.LearningRate > 0 && double.IsFinite(Training.LearningRate), $"--learning-rate: expected a positive number, got {Training.LearningRate}");
    }

    private static void AtLeastOne(string option, int value) => Require(value >= 1, $"{option}: expected 1 or more, got {value}");

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new UserException(message);
        }
    }
}
