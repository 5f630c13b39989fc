using System.Globalization;
using Distributed.Data;

namespace Distributed.Training;

/// <summary>What is trained on, where, and the recipe, the same in C# and in finetune.py.</summary>
/// <param name="Data">Folder with train and val, one folder of images for each class in both; the drawn house fronts where null.</param>
/// <param name="Processes">0 for this process alone, else so many processes of finetune.py.</param>
/// <param name="BatchSize">Of all processes together.</param>
/// <param name="LearningRate">Of SGD with momentum.</param>
internal sealed record RunOptions(
    string? Data, int Processes, string Python, string Device, ImageSize ImageSize, int Epochs, int BatchSize, double LearningRate, int Seed)
{
    public const double Momentum = 0.9;

    public void Check()
    {
        Expect(Processes >= 0, "--processes: expected 0 or more", Processes);
        Expect(Epochs > 0, "--epochs: expected 1 or more", Epochs);
        Expect(BatchSize > 0, "--batch-size: expected 1 or more", BatchSize);
        Expect(Processes < 2 || BatchSize % Processes == 0, $"--batch-size: expected a multiple of the {Processes} processes", BatchSize);
        Expect(LearningRate > 0 && double.IsFinite(LearningRate), "--lr: expected a positive number", LearningRate);
        Expect(Seed >= 0, "--seed: expected 0 or more", Seed);
    }

    private static void Expect(bool condition, string expected, IFormattable got)
    {
        if (!condition)
        {
            throw new UserException($"{expected}, got {got.ToString(null, CultureInfo.InvariantCulture)}");
        }
    }
}
