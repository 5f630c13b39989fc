using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using TorchPooling;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>Trains one network on tuples that it mines anew for every pass.</summary>
internal sealed class Trainer(PlaceNetwork network, Pictures database, Pictures queries, HardNegativeMiner miner, TrainingOptions options) : IDisposable
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
        var seed = unchecked(options.Seed * 1000 + epoch);
        var random = new Random(seed);
        Devices.Seed(seed);   // of dropout: an epoch draws the same whether the run was resumed before it or not
        using var scope = NewDisposeScope();
        network.eval();
        var cached = CacheShare / (database.Places.Count + queries.Places.Count);
        var databaseCache = Descriptors.Of(network.call, database, n => onProgress(n * cached), cancellation);
        var queryCache = Descriptors.Of(network.call, queries, n => onProgress(n * cached), cancellation);

        miner.Refresh(queryCache, databaseCache);

        var order = miner.Trainable;
        random.Shuffle(order);
        order = order[..Math.Min(order.Length, options.QueriesPerEpoch)];
        network.train();
        foreach (var group in Optimizer.ParamGroups)
        {
            group.LearningRate = options.LearningRateOf(epoch);
        }

        double sum = 0;
        foreach (var batch in miner.Mine(order, random).Chunk(TrainingOptions.QueriesPerBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            sum += batch.Length * Step(batch);
            onProgress((1 - CacheShare) * batch.Length / order.Length);
        }

        return double.IsFinite(sum) ? sum / order.Length : throw new UserException("the loss is no longer finite: lower --learning-rate");
    }

    public void Dispose() => Optimizer.Dispose();

    /// <summary>Every database picture of the batch beyond 25 m of a query serves as its negative, not only its own ones.</summary>
    private double Step(MinedTuple[] tuples)
    {
        using var scope = NewDisposeScope();
        var pictures = tuples.SelectMany(t => t.Negatives.Prepend(t.Positive)).Distinct().ToArray();
        var images = cat([queries.Batch([.. tuples.Select(t => t.Query)]), database.Batch(pictures)]);
        var descriptors = network.call(images);
        var loss = losses.triplet_ranking(
            descriptors.narrow(0, 0, tuples.Length), descriptors.narrow(0, tuples.Length, pictures.Length),
            Mask((t, picture) => picture == t.Positive), Mask((t, picture) => miner.IsNegative(t.Query, picture)), TrainingOptions.Margin);
        Optimizer.zero_grad();
        loss.backward();
        Optimizer.step();
        return loss.item<float>();

        Tensor Mask(Func<MinedTuple, int, bool> isSet) =>
            tensor([.. tuples.SelectMany(t => pictures.Select(picture => isSet(t, picture)))], device: descriptors.device).view(tuples.Length, -1);
    }
}
