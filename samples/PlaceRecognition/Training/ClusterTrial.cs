using PlaceRecognition.Retrieval;
using TorchPooling;

namespace PlaceRecognition.Training;

/// <summary>What one number of clusters was measured to give.</summary>
/// <param name="Clusters">K.</param>
/// <param name="Start">How the clusters start.</param>
/// <param name="StartSeconds">Of k-means and its measures.</param>
/// <param name="Dimensions">Length of a descriptor.</param>
/// <param name="PoolingSeconds">Of the pooling layer for one picture, in a batch.</param>
/// <param name="SearchSeconds">Of one query among a million descriptors.</param>
/// <param name="Untrained">Recall@1, @2, … on the validation split after the start.</param>
/// <param name="UntrainedRight">Of each validation query, whether the first answer after the start is right.</param>
internal sealed record ClusterTrial(
    int Clusters, ClusterStart Start, double StartSeconds, int Dimensions, double PoolingSeconds, double SearchSeconds, double[] Untrained, bool[] UntrainedRight)
{
    /// <summary>The training from that start; null where there was none.</summary>
    public PoolingProgress? Training { get; init; }

    /// <summary>Of a descriptor in float32.</summary>
    public int Bytes => sizeof(float) * Dimensions;

    /// <summary>By which K is judged: after training where there was one.</summary>
    public double FirstRecall => Recall.At(Training?.Trained ?? Untrained, 1);

    /// <summary>Of each validation query, whether it counts in that recall.</summary>
    public bool[] FirstRight => Training?.FirstRight ?? UntrainedRight;
}
