using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>Starts the clusters of a network from local descriptors of pictures.</summary>
internal static class ClusterStarts
{
    private const int PicturesForCenters = 500;       // as in the NetVLAD paper: 50,000 descriptors
    private const int DescriptorsOfPicture = 100;

    /// <returns>What was started, or null where the network has no clusters to start.</returns>
    /// <exception cref="UserException">The descriptors do not make so many clusters.</exception>
    public static ClusterStart? Initialize(PlaceNetwork network, Pictures pictures, TrainingOptions options)
    {
        if (!network.StartsClusters)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        return Initialize(network, Draw(network, pictures, options.Seed), options);
    }

    /// <exception cref="UserException">The descriptors do not make so many clusters.</exception>
    public static ClusterStart Initialize(PlaceNetwork network, Tensor descriptors, TrainingOptions options)
    {
        try
        {
            return network.Initialize(descriptors, options.Seed);
        }
        catch (ArgumentException e)
        {
            throw new UserException($"--clusters {options.Clusters}: {e.Message}", e);
        }
    }

    /// <summary>Local descriptors (M, C) of some of the pictures.</summary>
    public static Tensor Draw(PlaceNetwork network, Pictures pictures, int seed)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var random = new Random(seed);
        var chosen = Enumerable.Range(0, pictures.Places.Count).ToArray();
        random.Shuffle(chosen);
        var descriptors = new List<Tensor>();
        foreach (var batch in chosen.Take(PicturesForCenters).Chunk(Descriptors.BatchSize))
        {
            using var step = NewDisposeScope();
            var map = network.Features(pictures.Batch(batch)).flatten(2);   // (n, C, positions)
            var positions = Enumerable.Range(0, (int)map.size(2)).Select(i => (long)i).ToArray();
            random.Shuffle(positions);
            var drawn = tensor(positions[..Math.Min(DescriptorsOfPicture, positions.Length)], device: map.device);
            descriptors.Add(map.index_select(2, drawn).transpose(1, 2).reshape(-1, map.size(1)).MoveToOuterDisposeScope());
        }

        return cat(descriptors).MoveToOuterDisposeScope();
    }
}
