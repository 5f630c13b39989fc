namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] LearnedRegions =>
    [
        new("LearnedRegionPool", () => new LearnedRegionPool2d(4, 3, 2)),
        new("ClusteredRegionPool max", () => new ClusteredRegionPool2d(3)),
        new("ClusteredRegionPool avg", () => new ClusteredRegionPool2d(2, BinReduction.Avg, 0.6, 3)),
    ];
}
