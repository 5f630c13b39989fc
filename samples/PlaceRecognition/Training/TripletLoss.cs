using static TorchSharp.torch;

namespace PlaceRecognition.Training;

/// <summary>The weakly supervised ranking loss of the NetVLAD paper (eq. 7), on squared distances.</summary>
internal static class TripletLoss
{
    /// <summary>Σⱼ max(0, d²(q, p) + m − d²(q, nⱼ)), averaged over the queries.</summary>
    /// <param name="queries">(B, length), of unit length as all descriptors.</param>
    /// <param name="database">(M, length).</param>
    /// <param name="positives">(B), int64: the row of the best positive of each query.</param>
    /// <param name="negatives">(B, M), bool: which rows are negatives of which query.</param>
    /// <param name="margin">m.</param>
    public static Tensor Of(Tensor queries, Tensor database, Tensor positives, Tensor negatives, double margin)
    {
        using var scope = NewDisposeScope();
        var distances = 2 - 2 * queries.matmul(database.t());
        var toPositive = distances.gather(1, positives.unsqueeze(1));
        var violations = (toPositive + margin - distances).clamp_min(0);
        return ((violations * negatives).sum() / queries.size(0)).MoveToOuterDisposeScope();
    }
}
