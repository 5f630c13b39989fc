using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using TorchSharp;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>Trains one network on tuples that it mines anew for every pass.</summary>
internal sealed class Trainer(PlaceNetwork network, Pictures database, Pictures queries, TupleMiner miner, TrainingOptions options) : IDisposable
{
    public optim.Optimizer Optimizer { get; } = optim.Adam(network.parameters(), options.LearningRate);

    /// <summary>One pass over <see cref="TrainingOptions.QueriesPerEpoch"/> queries, which the number of the epoch decides.</summary>
    /// <returns>The mean loss.</returns>
    public double Epoch(int epoch, Action<double> onProgress, CancellationToken cancellation)
    {
        var random = new Random(options.Seed * 1000 + epoch);   // the epoch alone decides: a resumed run draws the same
        using var scope = NewDisposeScope();
        network.eval();
        var total = (double)(database.Places.Count + queries.Places.Count);
        var databaseCache = Descriptors.Of(network.call, database, n => onProgress(0.3 * n / total), cancellation);
        var queryCache = Descriptors.Of(network.call, queries, n => onProgress(0.3 * n / total), cancellation);

        var order = (int[])miner.Trainable.Clone();
        random.Shuffle(order);
        order = order[..Math.Min(order.Length, options.QueriesPerEpoch)];
        network.train();
        double sum = 0;
        foreach (var batch in order.Chunk(TrainingOptions.QueriesPerBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            var tuples = Array.ConvertAll(batch, query => miner.Mine(query, queryCache, databaseCache, random));
            sum += Step(tuples) * batch.Length;
            onProgress(0.7 * batch.Length / order.Length);
        }

        return sum / order.Length;
    }

    public void Dispose() => Optimizer.Dispose();

    private double Step(TrainingTuple[] tuples)
    {
        using var scope = NewDisposeScope();
        var (asked, found) = (queries.Batch([.. tuples.Select(t => t.Query)]), database.Batch([.. tuples.SelectMany(t => t.Negatives.Prepend(t.Positive))]));
        var descriptors = network.call(cat([asked, found]));
        var length = descriptors.size(1);
        var grouped = cat(
            [
                descriptors.narrow(0, 0, tuples.Length).view(tuples.Length, 1, length),
                descriptors.narrow(0, tuples.Length, descriptors.size(0) - tuples.Length).view(tuples.Length, -1, length),
            ],
            1);
        var loss = TripletLoss.Of(grouped.view(-1, length), tuples.Length, TrainingOptions.Margin);
        Optimizer.zero_grad();
        loss.backward();
        Optimizer.step();
        return loss.item<float>();
    }
}
