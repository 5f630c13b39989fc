using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Spatial pyramid pooling of boxes: every region of one shared feature map becomes a vector of fixed length.</summary>
/// <remarks>
/// <para>For each level n the bins n × n of <see cref="RoIPool"/>, each flattened as (C, n, n), concatenated in the order given,
/// as <see cref="SpatialPyramidPool2d"/> does with whole maps.</para>
/// <para>Shape: map (N, C, H, W), boxes (M, 5) with (image, x1, y1, x2, y2), output (M, C·Σn²), in the map's dtype.</para>
/// <para>On a GPU forward waits once a level for the number of pixels in the bins.</para>
/// <para>He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition, ECCV 2014, section 4
/// (detection).</para>
/// </remarks>
public sealed class RoISpatialPyramidPool : nn.Module<Tensor, Tensor, Tensor>, IScriptable
{
    private readonly long[] levels;
    private readonly double spatial_scale;

    /// <param name="levels">Bins a side of each level, at most 1024; 1, 2, 4 where null.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <exception cref="ArgumentException"><paramref name="levels"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public RoISpatialPyramidPool(long[]? levels = null, double spatial_scale = 1)
        : base(nameof(RoISpatialPyramidPool))
    {
        this.levels = Regions.Levels(levels);
        this.spatial_scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
    }

    /// <summary>See <see cref="pooling.roi_spatial_pyramid_pool(Tensor, Tensor, long[], double)"/>.</summary>
    public override Tensor forward(Tensor x, Tensor boxes) =>
        Regions.Pyramid(x, boxes, levels, spatial_scale);

    /// <summary>See <see cref="pooling.roi_spatial_pyramid_pool(Tensor, IReadOnlyList{Tensor}, long[], double)"/>.</summary>
    public Tensor forward(Tensor x, IReadOnlyList<Tensor> boxes)
    {
        using var rows = Regions.Boxes(boxes, x);
        return forward(x, rows);
    }

    ScriptDefinition IScriptable.script() => new(
        Regions.Script +
        """
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            pyramid: List[Tensor] = []
            for n in self.levels:
                pyramid.append(self.one_map(x, self.checked(boxes, x, 1), 1, n, n, self.spatial_scale, 2, 0, False).flatten(1))
            return torch.cat(pyramid, 1)
        """,
        (nameof(levels), levels), (nameof(spatial_scale), spatial_scale));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="RoISpatialPyramidPool"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2; or one tensor (M_i, 4) for each image: x1, y1, x2, y2. In
    /// <paramref name="x"/>'s dtype, or float32 where that is half precision. On a GPU a box of NaN, infinity or an image that
    /// is not there gives zeros.</param>
    /// <param name="levels">Bins a side of each level, at most 1024; 1, 2, 4 where null.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <returns>Shape (M, C·Σn²), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="boxes"/> are no boxes of it,
    /// or so many that the output would hold more than 2³¹ − 1 numbers, or <paramref name="levels"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large, or the output does not fit into memory.</exception>
    public static Tensor roi_spatial_pyramid_pool(Tensor x, Tensor boxes, long[]? levels = null, double spatial_scale = 1) =>
        Regions.Pyramid(x, boxes, Regions.Levels(levels), Regions.Scale(spatial_scale, nameof(spatial_scale)));

    /// <inheritdoc cref="roi_spatial_pyramid_pool(Tensor, Tensor, long[], double)"/>
    public static Tensor roi_spatial_pyramid_pool(Tensor x, IReadOnlyList<Tensor> boxes, long[]? levels = null, double spatial_scale = 1)
    {
        using var rows = Regions.Boxes(boxes, x);
        return roi_spatial_pyramid_pool(x, rows, levels, spatial_scale);
    }
}
