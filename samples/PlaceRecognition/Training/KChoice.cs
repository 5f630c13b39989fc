namespace PlaceRecognition.Training;

/// <summary>Which K the trials speak for: the smallest whose recall@1 lies at most one standard error of the difference,
/// paired by query, below the best.</summary>
internal sealed class KChoice
{
    /// <param name="trials">By ascending K, of the same queries.</param>
    public KChoice(IReadOnlyList<ClusterTrial> trials)
    {
        Trials = trials;
        Best = trials.MaxBy(trial => trial.FirstRecall)!;
        Chosen = trials.First(trial => Lag(trial) <= LagError(trial));
    }

    public IReadOnlyList<ClusterTrial> Trials { get; }

    /// <summary>Queries that each recall is a share of.</summary>
    public int Queries => Trials[0].FirstRight.Length;

    /// <summary>With the largest recall@1; of equal ones that with the smallest K.</summary>
    public ClusterTrial Best { get; }

    public ClusterTrial Chosen { get; }

    /// <summary>How far a trial's recall@1 lies below the best.</summary>
    public double Lag(ClusterTrial trial) => Best.FirstRecall - trial.FirstRecall;

    /// <summary>Standard error of that difference, paired by query.</summary>
    public double LagError(ClusterTrial trial) => StandardError.OfDifference(Best.FirstRight, trial.FirstRight);

    /// <summary>Standard error of a recall alone.</summary>
    public double Error(double recall) => StandardError.OfShare(recall, Queries);
}
