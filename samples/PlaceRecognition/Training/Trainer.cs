using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>Trains one network on tuples that it mines anew for every pass.</summary>
internal sealed class Trainer(PlaceNetwork network, Pictures database, Pictures queries, TupleMiner miner, TrainingOptions options) : IDisposable
{
    private const double CacheShare = 0.3;   // of a pass's time, for the progress bar

    public OptimizerHelper Optimizer { get; } = optim.Adam(network.parameters(), options.LearningRate);

    /// <summary>One pass over <see cref="TrainingOptions.QueriesPerEpoch"/> queries.</summary>
    /// <param name="epoch">Decides learning rate and draws, so that a resumed run has the same.</param>
    /// <param name="onProgress">Takes the share of the pass that was just done.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The mean loss.</returns>
    public double Epoch(int epoch, Action<double> onProgress, CancellationToken cancellation)
    {
        var random = new Random(unchecked(options.Seed * 1000 + epoch));
        using var scope = NewDisposeScope();
        network.eval();
        var cached = CacheShare / (database.Places.Count + queries.Places.Count);
        var databaseCache = Descriptors.Of(network.call, database, n => onProgress(n * cached), cancellation);
        var queryCache = Descriptors.Of(network.call, queries, n => onProgress(n * cached), cancellation);

        var order = (int[])miner.Trainable.Clone();
        random.Shuffle(order);
        order = order[..Math.Min(order.Length, options.QueriesPerEpoch)];
        network.train();
        foreach (var group in Optimizer.ParamGroups)
        {
            group.LearningRate = options.LearningRateOf(epoch);
        }

        double sum = 0;
        foreach (var batch in order.Chunk(TrainingOptions.QueriesPerBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            sum += batch.Length * Step(Array.ConvertAll(batch, query => miner.Mine(query, queryCache, databaseCache, random)));
            onProgress((1 - CacheShare) * batch.Length / order.Length);
        }

        return double.IsFinite(sum) ? sum / order.Length : throw new UserException("the loss is no longer finite: lower --learning-rate");
    }

    public void Dispose() => Optimizer.Dispose();

    /// <summary>Every database picture of the batch beyond 25 m of a query serves as its negative, not only its own ones.</summary>
    private double Step(TrainingTuple[] tuples)
    {
        using var scope = NewDisposeScope();
        var pictures = tuples.SelectMany(t => t.Negatives.Prepend(t.Positive)).Distinct().ToArray();
        var images = cat([queries.Batch([.. tuples.Select(t => t.Query)]), database.Batch(pictures)]);
        var descriptors = network.call(images);
        var device = descriptors.device;
        var positives = tensor(Array.ConvertAll(tuples, t => (long)Array.IndexOf(pictures, t.Positive)), device: device);
        var negatives = tensor([.. tuples.SelectMany(t => pictures.Select(d => miner.IsNegative(t.Query, d)))], device: device);
        var loss = TripletLoss.Of(
            descriptors.narrow(0, 0, tuples.Length), descriptors.narrow(0, tuples.Length, pictures.Length),
            positives, negatives.view(tuples.Length, -1), TrainingOptions.Margin);
        Optimizer.zero_grad();
        loss.backward();
        Optimizer.step();
        return loss.item<float>();
    }
}
