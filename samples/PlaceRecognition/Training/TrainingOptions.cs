namespace PlaceRecognition.Training;

/// <summary>What decides the result of a training; a resumed run must have the same.</summary>
/// <param name="Poolings">Trained one after the other, each from the same start.</param>
/// <param name="Blocks">Widths of the backbone.</param>
/// <param name="Clusters">K of NetVLAD.</param>
/// <param name="Epochs">Passes for each pooling.</param>
/// <param name="QueriesPerEpoch">Training queries of one pass; the descriptor cache is renewed before each.</param>
/// <param name="Negatives">Hard negatives of a query.</param>
internal sealed record TrainingOptions(
    string[] Poolings, long[][] Blocks, int Clusters, int Epochs, int QueriesPerEpoch, int Negatives, double LearningRate, int Seed)
{
    public static readonly double Margin = double.Parse(Environment.GetEnvironmentVariable("MG") ?? "0.1");
    public const double PositiveRadius = 10;
    public static readonly int QueriesPerBatch = int.Parse(Environment.GetEnvironmentVariable("QB") ?? "4");
    public static readonly int SampledNegatives = int.Parse(Environment.GetEnvironmentVariable("SN") ?? "1000");
    public const int RememberedNegatives = 10;
}
