namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Local =>
    [
        new("SoftPool", () => new SoftPool2d(2), MinSize: 2, IsLocal: true),
        new("SoftPool, all settings", () => new SoftPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true), MinSize: 3, IsLocal: true),
        new("overlapping max", () => new OverlappingMaxPool2d(), MinSize: 3, IsLocal: true),
        new("overlapping max, all settings", () => new OverlappingMaxPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true), MinSize: 3, IsLocal: true),
        new("overlapping average", () => new OverlappingAvgPool2d(), MinSize: 3, IsLocal: true),
        new("overlapping average, all settings", () => new OverlappingAvgPool2d((3, 2), (2, 1), (1, 0), ceil_mode: true), MinSize: 3, IsLocal: true),
        new("PowerPool", () => new PowerPool2d(2), MinSize: 2, IsLocal: true),
        new("PowerPool, learned mean, all settings", () => new PowerPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true, 0.8, mean: true, learn_p: true), MinSize: 3, IsLocal: true, SumsPixels: true),
        new("CenterWeightedAvgPool", () => new CenterWeightedAvgPool2d(3, 2, weighting: CenterWeighting.Linear, width: 1.5), MinSize: 3, IsLocal: true),
        new("CenterWeightedAvgPool, learned Gaussian, all settings", () => new CenterWeightedAvgPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true, CenterWeighting.Gaussian, 0.8, learn_width: true), MinSize: 3, IsLocal: true, SumsPixels: true),
        new("CenterWeightedAvgPool, learned linear", () => new CenterWeightedAvgPool2d(3, padding: 1, weighting: CenterWeighting.Linear, width: 2, learn_width: true), MinSize: 3, IsLocal: true, SumsPixels: true),
        new("CenterWeightedAvgPool, learned inverse distance", () => new CenterWeightedAvgPool2d(3, weighting: CenterWeighting.InverseDistance, width: 2, learn_width: true), MinSize: 3, IsLocal: true, SumsPixels: true),
        new("StochasticPool", () => new StochasticPool2d(2), MinSize: 2, IsLocal: true, IsStochastic: true),
        new("StochasticPool, all settings", () => new StochasticPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true), MinSize: 3, IsLocal: true, IsStochastic: true),
        new("LogSumExpPool", () => new LogSumExpPool2d(2), MinSize: 2, IsLocal: true),
        new("LogSumExpPool, all settings", () => new LogSumExpPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true, r: 3), MinSize: 3, IsLocal: true),
        new("MedianPool", () => new MedianPool2d(3, 2), MinSize: 3, IsLocal: true),
        new("MedianPool, all settings", () => new MedianPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode: true), MinSize: 3, IsLocal: true),
    ];
}
