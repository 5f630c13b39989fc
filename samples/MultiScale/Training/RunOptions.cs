using MultiScale.Model;

namespace MultiScale.Training;

/// <summary>What a run was asked for.</summary>
/// <param name="Data">Folder of Fashion-MNIST; drawn shapes where null.</param>
/// <param name="TrainSizes">Pixels a side, of the network that learns from several.</param>
/// <param name="Threads">Of the CPU; 0 for as many as torch takes.</param>
internal sealed record RunOptions(
    string? Data, bool Quick, int Epochs, int Seed, IReadOnlyList<int> TrainSizes, SizeDraw Draw, int Threads)
{
    public const int SmallestSize = 2 * Method.Stride;   // a map of 2×2: batch norm needs more than one value of a channel, of a single picture too
    public const int LargestSize = 128;

    private const int MostEpochs = 1000;
    private const double MostDrawn = 1L << 30;   // bytes of drawn training pictures, which are kept in every size
    private const int QuickPictures = 96;

    /// <summary>Training pictures at most.</summary>
    public int TrainPictures => Quick ? QuickPictures : Data is null ? 12_000 : int.MaxValue;

    /// <summary>Test pictures at most.</summary>
    public int TestPictures => Quick ? QuickPictures : Data is null ? 4_000 : int.MaxValue;

    /// <exception cref="UserException">An option has a value that cannot be.</exception>
    public void Check()
    {
        UserException.ThrowUnless(Epochs is >= 1 and <= MostEpochs, $"--epochs: expected 1 to {MostEpochs}, got {Epochs}");
        UserException.ThrowUnless(
            Draw != SizeDraw.Epoch || Epochs >= TrainSizes.Count,
            $"--draw epoch: expected an epoch for each of the {TrainSizes.Count} sizes of --train-sizes or more, got --epochs {Epochs}");
        var wrong = TrainSizes.FirstOrDefault(size => size is < SmallestSize or > LargestSize, -1);
        UserException.ThrowUnless(wrong < 0, $"--train-sizes: expected sizes from {SmallestSize} to {LargestSize} pixels, got {wrong}");
        var drawn = Data is null ? 4.0 * TrainPictures * TrainSizes.Sum(size => size * size) : 0;
        UserException.ThrowUnless(
            drawn <= MostDrawn, FormattableString.Invariant($"--train-sizes: expected sizes whose drawn pictures take 1 GiB or less together, got {drawn / (1L << 30):0.0} GiB"));
    }

    /// <summary>Reads <c>20,28,40</c>.</summary>
    public static int[] ParseSizes(string text)
    {
        var sizes = Array.ConvertAll(text.Split(',', StringSplitOptions.TrimEntries), part => int.TryParse(part, out var size) ? size : -1);
        UserException.ThrowUnless(
            sizes.All(size => size > 0) && sizes.Distinct().Count() == sizes.Length,
            $"--train-sizes: expected different sizes in pixels, for example 20,28,40, got '{text}'");
        return sizes;
    }
}
