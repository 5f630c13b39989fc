using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Position-sensitive RoIPool: a grid of bins over each box, each the mean of its pixels in channels of its own.</summary>
/// <remarks>
/// <para>The corners of a box, times <c>spatial_scale</c>, are rounded to pixels, halves away from zero, and the last is left out:
/// b = max(1, y2 − y1) rows. Output channel c of bin (i, j) is the mean of the map's channel (c·h + i)·w + j over the rows
/// y1 + ⌊i·b/h⌋ … y1 + ⌈(i + 1)·b/h⌉ − 1, and columns likewise. As in torchvision the map's last row and last column belong to no
/// bin. A bin without pixels gives 0.</para>
/// <para>Shape: map (N, c·h·w, H, W), boxes (M, 5) with (image, x1, y1, x2, y2), output (M, c, h, w), in the map's dtype. Outputs are those
/// of torchvision; the gradient of the map is the derivative of them, and so torchvision's for bins that do not reach the map's last row
/// or column, which its backward counts and its forward does not. Boxes get none.</para>
/// <para>On a GPU forward waits once for the number of pixels in the bins.</para>
/// <para>Dai, Li, He, Sun: R-FCN: Object Detection via Region-based Fully Convolutional Networks, NIPS 2016, section 2.</para>
/// </remarks>
public sealed class PSRoIPool : nn.Module<Tensor, Tensor, Tensor>, IScriptable
{
    private readonly long[] output_size;
    private readonly double spatial_scale;

    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <exception cref="ArgumentException"><paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public PSRoIPool(Size output_size, double spatial_scale = 1)
        : base(nameof(PSRoIPool))
    {
        this.output_size = Regions.OutputSize(output_size);
        this.spatial_scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
    }

    /// <summary>See <see cref="pooling.ps_roi_pool(Tensor, Tensor, Size, double)"/>.</summary>
    public override Tensor forward(Tensor x, Tensor boxes) =>
        Regions.Pool(x, boxes, output_size, spatial_scale, Regions.Bin.Mean, planes: output_size[0] * output_size[1]);

    /// <summary>See <see cref="pooling.ps_roi_pool(Tensor, IReadOnlyList{Tensor}, Size, double)"/>.</summary>
    public Tensor forward(Tensor x, IReadOnlyList<Tensor> boxes)
    {
        using var rows = Regions.Boxes(boxes, x);
        return forward(x, rows);
    }

    ScriptDefinition IScriptable.script() => new(
        Regions.Script +
        """
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            return self.one_map(x, self.checked(boxes, x, self.output_size[0] * self.output_size[1]), self.output_size[0] * self.output_size[1], self.output_size[0], self.output_size[1], self.spatial_scale, 1, 0, False)
        """,
        (nameof(output_size), output_size), (nameof(spatial_scale), spatial_scale));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="PSRoIPool"/>.</summary>
    /// <param name="x">Feature map, shape (N, c·h·w, H, W).</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2; or one tensor (M_i, 4) for each image: x1, y1, x2, y2. In
    /// <paramref name="x"/>'s dtype, or float32 where that is half precision. On a GPU a box of NaN, infinity or an image that
    /// is not there gives zeros.</param>
    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <returns>Shape (M, c, h, w), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map of c·h·w channels, <paramref name="boxes"/> are no boxes of it,
    /// or so many that the output would hold more than 2³¹ − 1 numbers, or <paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large, or the output does not fit into memory.</exception>
    public static Tensor ps_roi_pool(Tensor x, Tensor boxes, Size output_size, double spatial_scale = 1)
    {
        var size = Regions.OutputSize(output_size);
        var scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
        return Regions.Pool(x, boxes, size, scale, Regions.Bin.Mean, planes: size[0] * size[1]);
    }

    /// <inheritdoc cref="ps_roi_pool(Tensor, Tensor, Size, double)"/>
    public static Tensor ps_roi_pool(Tensor x, IReadOnlyList<Tensor> boxes, Size output_size, double spatial_scale = 1)
    {
        using var rows = Regions.Boxes(boxes, x);
        return ps_roi_pool(x, rows, output_size, spatial_scale);
    }
}
