using System.Diagnostics;
using PlaceRecognition.Model;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>Patch-NetVLAD's second look: the answers of a NetVLAD network, ordered anew by how well their patches match the
/// query's.</summary>
internal static class PatchReranking
{
    private static readonly long[] PatchSizes = [2, 5, 8];   // as in the paper, where the map holds them

    /// <summary>Recall of that order, and the milliseconds that a query took, from its pixels and those of its answers: the median.</summary>
    public static (Recall Recall, double Milliseconds) Of(PlaceNetwork network, LoadedSet set, Recall first, CancellationToken cancellation)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (height, width) = MapOf(network, set);
        using var patches = CreateLayer(network, Math.Min(height, width));
        var (answers, distances, milliseconds) = (new List<Tensor>(), new List<Tensor>(), new List<double>());
        for (var q = 0; q < first.Nearest.Length; q++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var clock = Stopwatch.StartNew();
            var query = patches.call(network.Features(set.Queries.Batch([q])))[0];
            var candidates = patches.call(network.Features(set.Database.Batch(first.Nearest[q])));
            var (scores, order) = patches.spatial_scores(query, candidates, height, width).cpu().sort(0, descending: true, stable: true);
            milliseconds.Add(clock.Elapsed.TotalMilliseconds);
            answers.Add(tensor(Array.ConvertAll(first.Nearest[q], number => (long)number)).index_select(0, order).MoveToOuterDisposeScope());
            distances.Add((-scores[0]).MoveToOuterDisposeScope());
        }

        milliseconds.Sort();
        return (Recall.OfAnswers(stack(answers), stack(distances), set.Places.Queries, set.Places.Database), milliseconds[milliseconds.Count / 2]);
    }

    /// <summary>Numbers that describe one picture: those of all its patches.</summary>
    public static int Dimensions(PlaceNetwork network, LoadedSet set)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (height, width) = MapOf(network, set);
        using var patches = CreateLayer(network, Math.Min(height, width));
        return (int)(patches.output_length * patches.positions(height, width).Sum(grid => grid.size(0)));
    }

    private static (long Height, long Width) MapOf(PlaceNetwork network, LoadedSet set)
    {
        using var map = network.Features(set.Queries.Batch([0]));
        return (map.size(2), map.size(3));
    }

    /// <summary>The network's clusters over patches: NetVLAD's weights load by name.</summary>
    private static PatchNetVLAD CreateLayer(PlaceNetwork network, long side)
    {
        var weights = network.Clusters!.state_dict();
        var (clusters, channels) = (weights["centroids"].size(0), weights["centroids"].size(1));
        long[] sizes = [.. PatchSizes.Where(size => size <= side)];
        var layer = new PatchNetVLAD(clusters, channels, sizes.Length > 0 ? sizes : [1], device: weights["centroids"].device);
        layer.load_state_dict(weights);
        layer.eval();
        return layer;
    }
}
