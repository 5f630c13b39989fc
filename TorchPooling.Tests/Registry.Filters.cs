using TorchSharp;

namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Filters =>
    [
        new("BlurPool", () => new BlurPool2d(), MinSize: 2, IsLocal: true),
        new("BlurPool, even, replicate", () => new BlurPool2d(4, 3, PaddingModes.Replicate), IsLocal: true),
        new("BlurPool, zeros", () => new BlurPool2d(5, 2, PaddingModes.Zeros), IsLocal: true),
        new("BlurPool, subsampling alone", () => new BlurPool2d(1), IsLocal: true),
        new("MaxBlurPool", () => new MaxBlurPool2d(), MinSize: 3, IsLocal: true),
        new("MaxBlurPool, zeros, all settings", () => new MaxBlurPool2d((3, 2), 2, (1, 0), (1, 2), 4, PaddingModes.Zeros), MinSize: 3, IsLocal: true),
        new("StripPool", () => new StripPool2d(3), TakesAnyChannels: false, IsLocal: true, SumsPixels: true),
        new("StripPool with batch norm", () => new StripPool2d(3, batch_norm: true), MinSize: 2, TakesAnyChannels: false, IsPooling: false, IsLocal: true),
        new("AttentionPool", () => new AttentionPool2d((3, 2), 4, 2, 5), Channels: 4, TakesAnyChannels: false, IsPooling: false),
        new("MixedPool", () => new MixedPool2d(2), MinSize: 2, IsLocal: true, SumsPixels: true),
        new("MixedPool per channel, all settings", () => new MixedPool2d((3, 2), (2, 1), (1, 0), (1, 2), true, 3), MinSize: 3, TakesAnyChannels: false, TakesAnyDtype: true, IsLocal: true, SumsPixels: true),
        new("GatedPool", () => new GatedPool2d(2), MinSize: 2, IsLocal: true, SumsPixels: true),
        new("GatedPool per channel, all settings", () => new GatedPool2d((3, 2), (2, 1), (1, 0), (1, 2), true, 3), MinSize: 3, TakesAnyChannels: false, TakesAnyDtype: true, IsLocal: true, SumsPixels: true),
        new("TreePool", () => new TreePool2d(2), MinSize: 2, IsLocal: true, SumsPixels: true),
        new("TreePool per channel, all settings", () => new TreePool2d((3, 2), (2, 1), (1, 0), (1, 2), true, 4, 3), MinSize: 3, TakesAnyChannels: false, TakesAnyDtype: true, IsLocal: true, SumsPixels: true),
    ];
}
