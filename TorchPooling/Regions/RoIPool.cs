using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>RoIPool: a grid of bins over each box, each the maximum of its pixels.</summary>
/// <remarks>
/// <para>The corners of a box, times <c>spatial_scale</c>, are rounded to pixels, halves away from zero, and both belong to the box:
/// b = max(1, y2 − y1 + 1) rows. Bin i of h reads the rows y1 + ⌊i·b/h⌋ … y1 + ⌈(i + 1)·b/h⌉ − 1 that are in the map, and
/// columns likewise; neighbours may share pixels. A bin without any gives 0.</para>
/// <para>Shape: map (N, C, H, W), boxes (M, 5) with (image, x1, y1, x2, y2), output (M, C, h, w), in the map's dtype. Outputs, and
/// gradients of the map, are those of torchvision: the first maximum in row-major order takes the gradient, an empty bin gives
/// none. Boxes get none. Two values differ on purpose: NaN gives NaN in every bin at it, as in libtorch's max pooling, where
/// torchvision skips it; and a bin of −∞ alone gives −∞, where torchvision gives the least number, −3.4·10³⁸ in float32.</para>
/// <para>On a GPU forward waits once for the number of pixels in the bins.</para>
/// <para>Girshick: Fast R-CNN, ICCV 2015, section 2.1.</para>
/// </remarks>
public sealed class RoIPool : nn.Module<Tensor, Tensor, Tensor>, IScriptable
{
    private readonly long[] output_size;
    private readonly double spatial_scale;

    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <exception cref="ArgumentException"><paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public RoIPool(Size output_size, double spatial_scale = 1)
        : base(nameof(RoIPool))
    {
        this.output_size = Regions.OutputSize(output_size);
        this.spatial_scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
    }

    /// <summary>See <see cref="pooling.roi_pool(Tensor, Tensor, Size, double)"/>.</summary>
    public override Tensor forward(Tensor x, Tensor boxes) =>
        Regions.Pool(x, boxes, output_size, spatial_scale, Regions.Bin.Max);

    /// <summary>See <see cref="pooling.roi_pool(Tensor, IReadOnlyList{Tensor}, Size, double)"/>.</summary>
    public Tensor forward(Tensor x, IReadOnlyList<Tensor> boxes)
    {
        using var rows = Regions.Boxes(boxes, x);
        return forward(x, rows);
    }

    ScriptDefinition IScriptable.script() => new(
        Regions.Script +
        """
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            return self.one_map(x, self.checked(boxes, x, 1), 1, self.output_size[0], self.output_size[1], self.spatial_scale, 2, 0, False)
        """,
        (nameof(output_size), output_size), (nameof(spatial_scale), spatial_scale));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="RoIPool"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2; or one tensor (M_i, 4) for each image: x1, y1, x2, y2. In
    /// <paramref name="x"/>'s dtype, or float32 where that is half precision. On a GPU a box of NaN, infinity or an image that
    /// is not there gives zeros.</param>
    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <returns>Shape (M, C, h, w), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="boxes"/> are no boxes of it,
    /// or so many that the output would hold more than 2³¹ − 1 numbers, or <paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large, or the output does not fit into memory.</exception>
    public static Tensor roi_pool(Tensor x, Tensor boxes, Size output_size, double spatial_scale = 1)
    {
        var size = Regions.OutputSize(output_size);
        var scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
        return Regions.Pool(x, boxes, size, scale, Regions.Bin.Max);
    }

    /// <inheritdoc cref="roi_pool(Tensor, Tensor, Size, double)"/>
    public static Tensor roi_pool(Tensor x, IReadOnlyList<Tensor> boxes, Size output_size, double spatial_scale = 1)
    {
        using var rows = Regions.Boxes(boxes, x);
        return roi_pool(x, rows, output_size, spatial_scale);
    }
}
