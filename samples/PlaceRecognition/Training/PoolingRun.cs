using System.Diagnostics;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>Trains one pooling from its start, or from where a checkpoint left it, to its best weights.</summary>
internal sealed class PoolingRun(
    string kind, TrainingOptions options, ImageSize size, Device device, Neighborhood neighborhood, Checkpoint checkpoint)
{
    private readonly Pooling pooling = Pooling.Find(kind);

    private string NetworkPart => $"{kind}/network";

    private string OptimizerPart => $"{kind}/optimizer";

    private string BestPart => $"{kind}/best";

    /// <summary>Trains all epochs that are left, with a checkpoint after each.</summary>
    /// <param name="onProgress">Takes the share of an epoch that was just done.</param>
    /// <param name="onEpoch">Called after each epoch.</param>
    public void Train(LoadedSet train, LoadedSet val, LoadedSet test, Action<double> onProgress, Action<PoolingProgress> onEpoch, CancellationToken cancellation)
    {
        using var network = CreateNetwork(pooling, options, size, device);
        using var miner = neighborhood.CreateMiner(options);
        using var trainer = new Trainer(network, train.Database, train.Queries, miner, options);
        var progress = checkpoint.Poolings.TryGetValue(kind, out var begun)
            ? GoOn(begun, network, trainer, miner)
            : Start(network, train, test, cancellation);
        onProgress(progress.Loss.Count);
        while (progress.Loss.Count < options.Epochs)
        {
            var clock = Stopwatch.StartNew();
            progress.Loss.Add(trainer.Epoch(progress.Loss.Count, onProgress, cancellation));
            progress.TrainSeconds += clock.Elapsed.TotalSeconds;
            progress.RememberedNegatives = miner.Remembered;
            Validate(progress, network, val, cancellation);
            checkpoint.Parts[NetworkPart] = Weights(network);
            checkpoint.Parts[OptimizerPart] = State(trainer);
            checkpoint.Poolings[kind] = progress;
            checkpoint.Save();
            onEpoch(progress);
        }

        LoadBest(network);
        var (recall, secondLook) = test.Evaluate(network, pooling, cancellation);
        progress.Trained = [.. recall.Curve];
        progress.FirstRight = recall.FirstRight;
        progress.FirstDistance = recall.FirstDistance;
        progress.Speed = Speed.Of(network, test.Queries, secondLook);
        progress.RememberedNegatives = [];
        checkpoint.Parts.Remove(NetworkPart);
        checkpoint.Parts.Remove(OptimizerPart);
        checkpoint.Save();
    }

    /// <summary>The network with its best weights, in eval mode.</summary>
    public PlaceNetwork Best()
    {
        var network = CreateNetwork(pooling, options, size, device);
        LoadBest(network);
        return network;
    }

    private void LoadBest(PlaceNetwork network)
    {
        network.load(new MemoryStream(checkpoint.Parts[BestPart]));
        network.eval();
    }

    /// <summary>The network before training, its clusters not yet started.</summary>
    public static PlaceNetwork CreateNetwork(Pooling pooling, TrainingOptions options, ImageSize size, Device device)
    {
        Devices.Seed(options.Seed);   // every pooling starts with the same backbone
        var network = new PlaceNetwork(pooling, options.Clusters, size);
        network.to(device);
        return network;
    }

    private PoolingProgress Start(PlaceNetwork network, LoadedSet train, LoadedSet test, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        network.eval();
        ClusterStarts.Initialize(network, train.Database, options);

        return new()
        {
            Untrained = [.. test.Evaluate(network, pooling, cancellation).Recall.Curve],
            Dimensions = pooling.LooksTwice ? PatchReranking.Dimensions(network, test) : (int)network.call(train.Database.Batch([0])).size(1),
        };
    }

    private PoolingProgress GoOn(PoolingProgress progress, PlaceNetwork network, Trainer trainer, HardNegativeMiner miner)
    {
        if (checkpoint.Parts.TryGetValue(NetworkPart, out var weights))
        {
            network.load(new MemoryStream(weights));
            using var reader = new BinaryReader(new MemoryStream(checkpoint.Parts[OptimizerPart]));
            trainer.Optimizer.load_state_dict(reader);
            miner.Remembered = progress.RememberedNegatives;
        }

        return progress;
    }

    /// <summary>The epoch with the best validation Recall@5 counts, as in the paper.</summary>
    private void Validate(PoolingProgress progress, PlaceNetwork network, LoadedSet val, CancellationToken cancellation)
    {
        network.eval();
        var recall = val.Evaluate(network.call, cancellation);
        progress.Validation.Add([recall.At(1), recall.At(5)]);
        if (progress.BestEpoch < 0 || recall.At(5) > progress.Validation[progress.BestEpoch][1])
        {
            progress.BestEpoch = progress.Loss.Count - 1;
            checkpoint.Parts[BestPart] = Weights(network);
        }
    }

    private static byte[] Weights(PlaceNetwork network)
    {
        using var memory = new MemoryStream();
        network.save(memory);
        return memory.ToArray();
    }

    private static byte[] State(Trainer trainer)
    {
        using var memory = new MemoryStream();
        using (var writer = new BinaryWriter(memory))
        {
            trainer.Optimizer.save_state_dict(writer);
        }

        return memory.ToArray();
    }
}
