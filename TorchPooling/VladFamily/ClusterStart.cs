namespace TorchPooling;

/// <summary>How the clusters of a layer start, measured on the descriptors that they were found in.</summary>
/// <param name="Alpha">α, the sharpness of the assignment; ∞ where it is hard.</param>
/// <param name="Contrast">exp(mean ln(a₁/a₂)) of the largest and the second largest weight of each descriptor, as the layer
/// computes them in its dtype: 100, up to rounding; ∞ where the assignment is hard or K = 1.</param>
/// <param name="QuantizationError">Mean squared distance of a descriptor to its nearest centre.</param>
/// <param name="UsedClusters">Share of the clusters that are the nearest of at least one descriptor, 0 … 1.</param>
/// <param name="Entropy">−Σₖ āₖ ln āₖ / ln K of the mean assignment ā: 1 where all clusters get the same share; 1 where K = 1.</param>
public sealed record ClusterStart(double Alpha, double Contrast, double QuantizationError, double UsedClusters, double Entropy);
