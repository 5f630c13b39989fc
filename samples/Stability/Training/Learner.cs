using Stability.Commands;
using Stability.Data;
using static TorchSharp.torch;

namespace Stability.Training;

/// <summary>Trains networks, all in the same way.</summary>
internal sealed class Learner(Source source, RunOptions options, Device device, CancellationToken cancellation)
{
    private const int BatchSize = 128;
    private const int QuickBatchSize = 32;
    private const double LearningRate = 0.01;
    private const double WeightDecay = 0.01;

    public Budget Budget(int seed) => new(options.Epochs, options.Quick ? QuickBatchSize : BatchSize, LearningRate, WeightDecay, seed);

    /// <param name="advance">Takes the share of the training that was just done.</param>
    public TrainingCurve Train(nn.Module<Tensor, Tensor> module, int seed, Action<double> advance) => ClassifierTraining.Run(
        module, source.Train.Count, Budget(seed),
        (numbers, _, _) => [new(source.Train.Images.index_select(0, numbers).to(device), source.Train.Labels.index_select(0, numbers).to(device))],
        advance, (_, _) => { }, cancellation);

    /// <summary>Share of right answers to the pictures that it learned from.</summary>
    public double TrainAccuracy(nn.Module<Tensor, Tensor> module)
    {
        using var first = source.Train.First(source.Test.Count);
        return Predictions.Of(module, first.Labels, numbers => first.Images.index_select(0, numbers).to(device), cancellation).Accuracy;
    }

    /// <summary>The same of the test.</summary>
    public double TestAccuracy(nn.Module<Tensor, Tensor> module) =>
        Predictions.Of(module, source.Test.Labels, numbers => source.Test.Images.index_select(0, numbers).to(device), cancellation).Accuracy;
}
