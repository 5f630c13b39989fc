namespace PlaceRecognition.Training;

/// <summary>Which K the trials speak for: the smallest whose recall@1 lies within one standard error of the best.</summary>
internal sealed class KChoice
{
    /// <param name="trials">By ascending K.</param>
    /// <param name="queries">Queries that each recall is a share of.</param>
    public KChoice(IReadOnlyList<ClusterTrial> trials, int queries)
    {
        (Trials, Queries) = (trials, queries);
        Best = trials.MaxBy(trial => trial.FirstRecall)!;
        Chosen = trials.First(trial => trial.FirstRecall >= Best.FirstRecall - Error(Best.FirstRecall));
    }

    public IReadOnlyList<ClusterTrial> Trials { get; }

    public int Queries { get; }

    /// <summary>With the largest recall@1; of equal ones that with the smallest K.</summary>
    public ClusterTrial Best { get; }

    public ClusterTrial Chosen { get; }

    /// <summary>Standard error √(r(1 − r)/n) of a recall r of n queries.</summary>
    public double Error(double recall) => Math.Sqrt(recall * (1 - recall) / Queries);
}
