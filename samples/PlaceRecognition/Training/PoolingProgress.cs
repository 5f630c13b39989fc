using PlaceRecognition.Retrieval;

namespace PlaceRecognition.Training;

/// <summary>How far one pooling has come.</summary>
internal sealed class PoolingProgress
{
    /// <summary>Recall@1, @2, … on the test split before training.</summary>
    public double[] Untrained { get; set; } = [];

    /// <summary>The same with the weights of the best epoch; empty until all epochs are done.</summary>
    public double[] Trained { get; set; } = [];

    /// <summary>Of each test query, whether the trained network's first answer is right.</summary>
    public bool[] FirstRight { get; set; } = [];

    /// <summary>Of each test query, how far that answer was in the order of answers: smaller is surer.</summary>
    public double[] FirstDistance { get; set; } = [];

    /// <summary>Mean loss of each epoch.</summary>
    public List<double> Loss { get; set; } = [];

    /// <summary>Recall@1 and Recall@5 on the validation split after each epoch.</summary>
    public List<double[]> Validation { get; set; } = [];

    public int BestEpoch { get; set; } = -1;

    public int Dimensions { get; set; }

    public double TrainSeconds { get; set; }

    /// <summary>Of the trained network, on one test batch.</summary>
    public Speed? Speed { get; set; }

    /// <summary>Of each query, while the pooling is being trained.</summary>
    public int[][] RememberedNegatives { get; set; } = [];

    /// <summary>Standard error of the trained recall@1.</summary>
    public double FirstError() => StandardError.OfShare(Recall.At(Trained, 1), FirstRight.Length);
}
