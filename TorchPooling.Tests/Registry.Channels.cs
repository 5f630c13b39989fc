namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Channels =>
    [
        new("Maxout", () => new Maxout(3), ExpectsMaps: false),
        new("ChannelMaxPool", () => new ChannelMaxPool(2, 1), ExpectsMaps: false),
        new("ChannelMaxPool, all settings", () => new ChannelMaxPool(2, 2, 1, 2, ceil_mode: true), ExpectsMaps: false),
        new("RotationMaxConv2d", () => new RotationMaxConv2d(3, 3, 3, padding: 1), TakesAnyChannels: false, IsPooling: false),
        new("RotationMaxConv2d, all settings", () => new RotationMaxConv2d(3, 6, 2, 2, 1, 2, 3, bias: false), MinSize: 2, TakesAnyChannels: false, IsPooling: false),
    ];
}
