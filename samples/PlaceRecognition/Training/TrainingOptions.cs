namespace PlaceRecognition.Training;

/// <summary>What decides the result of a training; a resumed run must have the same.</summary>
/// <param name="Poolings">Trained one after the other, each from the same start.</param>
/// <param name="Clusters">K of NetVLAD.</param>
/// <param name="Epochs">Passes for each pooling; the learning rate is halved after each third of them.</param>
/// <param name="QueriesPerEpoch">Training queries of one pass; the descriptor cache is renewed before each.</param>
/// <param name="Negatives">Hard negatives mined for a query.</param>
/// <param name="LearningRate">Of Adam: these networks start from nothing, where the paper fine-tunes with SGD.</param>
/// <param name="Seed">Decides the starting weights and the draws of the training.</param>
internal sealed record TrainingOptions(
    string[] Poolings, int Clusters, int Epochs, int QueriesPerEpoch, int Negatives, double LearningRate, int Seed)
{
    /// <summary>m of the loss, on squared distances.</summary>
    public const double Margin = 0.1;

    /// <summary>Metres within which a database picture is a potential positive.</summary>
    public const double PositiveRadius = 10;

    public const int QueriesPerBatch = 4;

    /// <summary>Hardest negatives that a query keeps for its next turn.</summary>
    public const int RememberedNegatives = 10;

    public double LearningRateOf(int epoch) => LearningRate * Math.Pow(0.5, 3 * epoch / Epochs);
}
