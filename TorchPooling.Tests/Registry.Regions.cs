using static TorchSharp.torch;

namespace TorchPooling.Tests;

public static partial class Registry
{
    private static Case[] Regions =>
    [
        new("RoIAlign", () => new Boxed(new RoIAlign((2, 3)))),
        new("RoIAlign, two samples a side, aligned", () => new Boxed(new RoIAlign(2, sampling_ratio: 2, aligned: true))),
        new("RoIAlign, six samples a side, half scale", () => new Boxed(new RoIAlign(2, 0.5, 6))),
        new("RoIPool", () => new Boxed(new RoIPool((3, 2)))),
        new("RoIPool, double scale", () => new Boxed(new RoIPool(2, 2))),
        new("PSRoIAlign", () => new Boxed(new PSRoIAlign((2, 1))), Channels: 4),
        new("PSRoIAlign, one sample", () => new Boxed(new PSRoIAlign(2, sampling_ratio: 1)), Channels: 8),
        new("PSRoIPool", () => new Boxed(new PSRoIPool((1, 2))), Channels: 4, MinSize: 3),
        new("RoISpatialPyramidPool", () => new Boxed(new RoISpatialPyramidPool())),
        new("MultiScaleRoIAlign", () => new BoxedPyramid(new MultiScaleRoIAlign(2, [1, 0.5], 2, 4, 1))),
        new("MultiScaleRoIAlign, adaptive", () => new BoxedPyramid(new MultiScaleRoIAlign((1, 2), [1, 0.5], canonical_scale: 4, canonical_level: 1))),
    ];
}

/// <summary>Three boxes on each image of a map, one of them partly outside.</summary>
internal static class Boxes
{
    public const string Script =
        """
        def boxes(self, x: Tensor) -> Tensor:
            (h, w) = (float(x.size(2)), float(x.size(3)))
            corners = torch.tensor([[0.0, 0.0, w, h], [0.3 * w, 0.2 * h, 0.8 * w, 0.9 * h], [-1.0, 0.2 * h, 0.5 * w, h + 2.0]])
            dtype = 6
            if x.dtype == 7:
                dtype = 7
            images = torch.arange(x.size(0)).view(-1, 1, 1).expand(-1, 3, 1)
            return torch.cat([images.to(dtype), corners.to(dtype).expand(x.size(0), 3, 4)], 2).flatten(0, 1).to(x.device)

        def by_image(self, y: Tensor, x: Tensor) -> Tensor:
            return y.reshape([x.size(0), 3 * y.size(1)] + y.size()[2:])

        """;

    public static Tensor Of(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (h, w) = ((double)x.size(2), (double)x.size(3));
        var corners = tensor(new[,] { { 0, 0, w, h }, { 0.3 * w, 0.2 * h, 0.8 * w, 0.9 * h }, { -1, 0.2 * h, 0.5 * w, h + 2 } }, dtype: ScalarType.Float32);
        var images = arange(x.size(0)).view(-1, 1, 1).expand(-1, 3, 1);
        var dtype = Check.AtLeastFloat32(x.dtype);
        return cat([images.to(dtype), corners.to(dtype).expand(x.size(0), 3, 4)], 2).flatten(0, 1).to(x.device).MoveToOuterDisposeScope();
    }

    /// <summary>The three outputs of each image as one.</summary>
    public static Tensor ByImage(Tensor y, Tensor x) => y.reshape([x.size(0), 3 * y.size(1), .. y.shape[2..]]);
}

/// <summary>Pools boxes of the whole map, of a part of it and of what lies half outside.</summary>
internal sealed class Boxed : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor, Tensor> pool;

    public Boxed(nn.Module<Tensor, Tensor, Tensor> pool)
        : base(nameof(Boxed))
    {
        this.pool = pool;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        return Boxes.ByImage(pool.call(x, Boxes.Of(x)), x).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        Boxes.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.by_image(self.pool.forward(x, self.boxes(x)), x)
        """);
}

/// <summary>The same from a pyramid of the map and every second of its pixels.</summary>
internal sealed class BoxedPyramid : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly MultiScaleRoIAlign pool;

    public BoxedPyramid(MultiScaleRoIAlign pool)
        : base(nameof(BoxedPyramid))
    {
        this.pool = pool;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        Tensor[] maps = [x, x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2)];
        return Boxes.ByImage(pool.call(maps, Boxes.Of(x)), x).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        Boxes.Script +
        """
        def forward(self, x: Tensor) -> Tensor:
            return self.by_image(self.pool.forward([x, x.slice(2, 0, None, 2).slice(3, 0, None, 2)], self.boxes(x)), x)
        """);
}
