using System.Diagnostics;
using static TorchSharp.torch;

namespace Experiments.Training;

/// <summary>What a training tells of itself.</summary>
/// <param name="Loss">Mean cross entropy of each epoch.</param>
/// <param name="Seconds">Of the steps together.</param>
internal sealed record TrainingCurve(IReadOnlyList<double> Loss, double Seconds);

/// <summary>Pictures (n, 1, H, W) and their labels (n), of one size.</summary>
internal readonly record struct Batch(Tensor Images, Tensor Labels);

/// <summary>Trains a network that tells classes apart: cross entropy, AdamW, one cycle of the learning rate.</summary>
internal static class ClassifierTraining
{
    /// <param name="network">From pictures to scores; left in eval mode.</param>
    /// <param name="count">Training pictures.</param>
    /// <param name="batches">From the numbers of a step's pictures (n), the epoch and the random draws to the pictures, in one batch or in
    /// several of different sizes, whose gradients make one step.</param>
    /// <param name="onProgress">Takes the share of the training that was just done.</param>
    /// <param name="onEpoch">Takes the number of finished epochs and the loss of the last.</param>
    /// <exception cref="UserException">The loss is no longer finite.</exception>
    public static TrainingCurve Run(
        nn.Module<Tensor, Tensor> network, long count, Budget budget, Func<Tensor, int, Random, IReadOnlyList<Batch>> batches,
        Action<double> onProgress, Action<int, double> onEpoch, CancellationToken cancellation)
    {
        using var optimizer = optim.AdamW(network.parameters(), budget.LearningRate, weight_decay: budget.WeightDecay);
        var steps = budget.StepsOf(count);
        var rng = new Random(budget.Seed);
        var losses = new List<double>();
        var clock = Stopwatch.StartNew();
        network.train();
        for (var epoch = 0; epoch < budget.Epochs; epoch++)
        {
            using var scope = NewDisposeScope();
            var order = Order(count, rng);
            double sum = 0;
            for (var step = 0; step < steps; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                var rate = OneCycle.Rate((epoch * steps + step + 0.5) / (budget.Epochs * steps), budget.LearningRate);
                foreach (var group in optimizer.ParamGroups)
                {
                    group.LearningRate = rate;
                }

                using var one = NewDisposeScope();
                var numbers = order.narrow(0, (long)step * budget.BatchSize, Math.Min(budget.BatchSize, count));
                sum += Step(network, optimizer, batches(numbers, epoch, rng));
                onProgress(1.0 / (budget.Epochs * steps));
            }

            losses.Add(FiniteLoss.Check(sum / steps, $"epoch {epoch + 1}", budget.LearningRate));
            onEpoch(epoch + 1, losses[^1]);
        }

        network.eval();
        return new(losses, clock.Elapsed.TotalSeconds);
    }

    private static double Step(nn.Module<Tensor, Tensor> network, optim.Optimizer optimizer, IReadOnlyList<Batch> batches)
    {
        var pictures = batches.Sum(batch => batch.Labels.size(0));
        double sum = 0;
        optimizer.zero_grad();
        foreach (var (images, labels) in batches)
        {
            var loss = nn.functional.cross_entropy(network.call(images), labels) * ((double)labels.size(0) / pictures);
            loss.backward();
            sum += loss.item<float>();
        }

        optimizer.step();
        return sum;
    }

    private static Tensor Order(long count, Random rng)
    {
        var order = Enumerable.Range(0, (int)count).Select(i => (long)i).ToArray();
        rng.Shuffle(order);
        return tensor(order);
    }
}
