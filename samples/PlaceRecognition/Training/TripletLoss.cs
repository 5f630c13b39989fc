using TorchSharp;
using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>The weakly supervised ranking loss of the NetVLAD paper (eq. 7), on squared distances.</summary>
internal static class TripletLoss
{
    /// <summary>Σⱼ max(0, d²(q, p) + m − d²(q, nⱼ)), averaged over the queries and their negatives.</summary>
    /// <param name="descriptors">(B·(2 + negatives), length): for each query itself, its best positive, its negatives.</param>
    /// <param name="queries">B.</param>
    /// <param name="margin">m.</param>
    public static Tensor Of(Tensor descriptors, int queries, double margin)
    {
        using var scope = NewDisposeScope();
        var tuples = descriptors.view(queries, -1, descriptors.size(1));
        var query = tuples.narrow(1, 0, 1);
        var distances = (tuples.narrow(1, 1, tuples.size(1) - 1) - query).square().sum(2);
        var toPositive = distances.narrow(1, 0, 1);
        var toNegatives = distances.narrow(1, 1, distances.size(1) - 1);
        return (toPositive + margin - toNegatives).clamp_min(0).mean().MoveToOuterDisposeScope();
    }
}
