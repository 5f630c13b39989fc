using static TorchSharp.torch;

namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Pyramids =>
    [
        new("SPP 1d max", () => new Sequences(new SpatialPyramidPool1d()), ExpectsMaps: false),
        new("SPP 1d avg", () => new Sequences(new SpatialPyramidPool1d([3, 1], BinReduction.Avg)), ExpectsMaps: false),
        new("SPP 1d sppnet rule", () => new Sequences(new SpatialPyramidPool1d([1, 2], bins: BinRule.SppNet)), MinSize: 2, ExpectsMaps: false),
        new("SPP 2d sppnet rule avg", () => new SpatialPyramidPool2d([2], BinReduction.Avg, BinRule.SppNet), MinSize: 2),
        new("SPP 3d max", () => new Volumes(new SpatialPyramidPool3d()), ExpectsMaps: false),
        new("SPP 3d avg", () => new Volumes(new SpatialPyramidPool3d([3, 1], BinReduction.Avg)), ExpectsMaps: false),
        new("SPP 3d sppnet rule", () => new Volumes(new SpatialPyramidPool3d([1, 2], bins: BinRule.SppNet)), MinSize: 2, ExpectsMaps: false),
        new("SPP 3d sppnet rule avg", () => new Volumes(new SpatialPyramidPool3d([2], BinReduction.Avg, BinRule.SppNet)), MinSize: 2, ExpectsMaps: false),
        new("SPPF", () => new FastSpatialPyramidPool2d()),
        new("SPPF of two 3×3", () => new FastSpatialPyramidPool2d(3, 2)),
        new("PyramidPooling", () => new PyramidPoolingModule(3, [2, 3]), TakesAnyChannels: false, IsPooling: false),
        new("PyramidPooling, corners not aligned", () => new PyramidPoolingModule(3, [3], 2, align_corners: false), TakesAnyChannels: false, IsPooling: false),
    ];
}

/// <summary>Hands a map as a sequence, (N, C, H·W), to a layer that takes sequences.</summary>
internal sealed class Sequences : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> pool;

    public Sequences(nn.Module<Tensor, Tensor> pool)
        : base(nameof(Sequences))
    {
        this.pool = pool;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return pool.call(x.flatten(2)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.pool.forward(x.flatten(2))
        """);
}

/// <summary>Makes a volume of depth 2 from a map, (N, C, 2, H, W), for a layer that takes volumes.</summary>
internal sealed class Volumes : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> pool;

    public Volumes(nn.Module<Tensor, Tensor> pool)
        : base(nameof(Volumes))
    {
        this.pool = pool;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return pool.call(stack([x, x.flip(1)], 2)).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.pool.forward(torch.stack([x, x.flip([1])], 2))
        """);
}
