using static TorchSharp.torch;

namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Inverse =>
    [
        new("SwitchedMaxPool", () => new SwitchedMaxPool2d(2), MinSize: 2, IsLocal: true),
        new("SwitchedMaxPool, all settings", () => new SwitchedMaxPool2d((3, 2), (1, 2), (1, 0), (1, 2), ceil_mode: true), MinSize: 3, IsLocal: true),
        new("SwitchedMaxPool, overlapping, with a body", () => new SwitchedMaxPool2d(3, 1, 1, body: nn.Conv2d(3, 3, 3, padding: 1)), IsPooling: false, IsLocal: true),
        new("SwitchedMaxPool, nested", () => new SwitchedMaxPool2d(2, body: nn.Sequential(nn.Conv2d(3, 3, 1), new SwitchedMaxPool2d(2))), MinSize: 4, IsPooling: false),
        new("ProbabilisticMaxPool", () => new ProbabilisticMaxPool2d(2), IsLocal: true),
        new("ProbabilisticMaxPool, 3×2", () => new ProbabilisticMaxPool2d((3, 2)), IsLocal: true),
    ];
}
