namespace TorchPooling;

/// <summary>The variances that a fit of <see cref="PcaWhitening"/> found.</summary>
/// <param name="Descriptors">M, how many descriptors it was fitted on.</param>
/// <param name="Variances">λ of the kept components, largest first.</param>
/// <param name="TotalVariance">The variance of all components together: the trace of the covariance.</param>
public sealed record PcaSpectrum(long Descriptors, IReadOnlyList<double> Variances, double TotalVariance)
{
    /// <summary>λ of the kept components, largest first.</summary>
    public IReadOnlyList<double> Variances { get; init; } = Variances ?? throw new ArgumentNullException(nameof(Variances));

    /// <summary>Σλ / <see cref="TotalVariance"/>: the share of the variance that the kept components hold, 0 … 1; 1 where
    /// there is no variance.</summary>
    public double ExplainedVariance => TotalVariance > 0 ? Variances.Sum() / TotalVariance : 1;
}
