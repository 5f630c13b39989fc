namespace Experiments.Training;

/// <summary>How long and how a classifier learns.</summary>
/// <param name="Epochs">Passes over the pictures.</param>
/// <param name="BatchSize">Pictures of a step.</param>
/// <param name="LearningRate">Its peak; see <see cref="OneCycle"/>.</param>
/// <param name="WeightDecay">Of AdamW: the share of every parameter that a step takes away, times the learning rate.</param>
/// <param name="Seed">Of the order and whatever else is drawn in training.</param>
internal sealed record Budget(int Epochs, int BatchSize, double LearningRate, double WeightDecay, int Seed)
{
    /// <summary>Steps of an epoch of so many pictures; the pictures that fill no batch wait for the next epoch, unless there is no other batch.</summary>
    public int StepsOf(long pictures) => (int)Math.Max(1, pictures / BatchSize);
}
