using System.Globalization;
using static TorchSharp.torch;

namespace Distributed.Training;

/// <summary>The recipe of finetune.py in this process: SGD with momentum on the cross entropy.</summary>
internal static class EmbeddedTraining
{
    public static void Run(
        nn.Module<Tensor, Tensor> model, Tensor images, Tensor labels, RunOptions options, Device device, TextWriter output, CancellationToken cancellation)
    {
        using var optimizer = optim.SGD(model.parameters(), options.LearningRate, RunOptions.Momentum);
        model.train();
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            using var scope = NewDisposeScope();
            var total = zeros(1, dtype: ScalarType.Float64, device: device);
            foreach (var indices in Order(labels.shape[0], options.Seed + epoch).split(options.BatchSize))
            {
                cancellation.ThrowIfCancellationRequested();
                using var step = NewDisposeScope();
                var loss = nn.functional.cross_entropy(model.call(Classifier.Input(images[indices], device)), labels[indices].to(device));
                optimizer.zero_grad();
                loss.backward();
                optimizer.step();
                total.add_(loss.detach() * indices.shape[0]);
            }

            var mean = total.item<double>() / labels.shape[0];
            if (!double.IsFinite(mean))
            {
                throw new UserException("the loss is no longer finite: lower --lr");
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch {epoch + 1}: loss {mean:0.0000}"));
        }
    }

    /// <summary>The order that PyTorch's DistributedSampler draws for an epoch.</summary>
    private static Tensor Order(long count, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return randperm(count, generator: generator);
    }
}
