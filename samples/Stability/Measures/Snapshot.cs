using Stability.Model;
using TorchPooling;
using static TorchSharp.torch;

namespace Stability.Measures;

/// <summary>How smooth filters are; see <see cref="stability"/>.</summary>
internal sealed record Smoothness(double TotalVariation, double Ratio, double LowFrequencyShare)
{
    public static Smoothness Of(Tensor filters) => new(
        stability.total_variation(filters), stability.total_variation_ratio(filters), stability.low_frequency_share(filters));

    /// <summary>The mean of several layers.</summary>
    public static Smoothness Mean(IReadOnlyCollection<Smoothness> layers) => new(
        layers.Average(layer => layer.TotalVariation), layers.Average(layer => layer.Ratio), layers.Average(layer => layer.LowFrequencyShare));
}

/// <summary>What a network is like at one moment.</summary>
/// <param name="Sensitivity">By key of the transform, then by layer, in <see cref="Network.Layers"/>' order.</param>
/// <param name="Blocks">Of each block's convolution.</param>
/// <param name="Filters">The mean of all convolutions, those that stand for a pooling included.</param>
/// <param name="Accuracy">Share of right answers to the test.</param>
/// <param name="ShiftConsistency">How often two shifts of a picture, within <see cref="Laboratory.MostShift"/> pixels, get the same answer.</param>
internal sealed record Snapshot(
    IReadOnlyDictionary<string, double[]> Sensitivity, IReadOnlyList<Smoothness> Blocks, Smoothness Filters, double Accuracy, double ShiftConsistency);
