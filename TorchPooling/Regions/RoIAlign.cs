using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>RoIAlign: a grid of bins over each box, each the mean of points that are interpolated between pixels.</summary>
/// <remarks>
/// <para>A box, times <c>spatial_scale</c>, is cut into h × w bins of equal size, and each bin into n × m cells. At the centre (v, u) of
/// a cell the map is read as Σᵢⱼ max(0, 1 − |v − i|)·max(0, 1 − |u − j|)·x[i, j], with its border up to one pixel beyond it and
/// 0 farther out; the output is the mean of the n·m values. Nothing is rounded: a box may begin between pixels.</para>
/// <para>n = m = <c>sampling_ratio</c>, or where that is not positive ⌈height⌉ × ⌈width⌉ of the bin in pixels. <c>aligned</c> moves boxes by
/// −½ pixel, because the centre of pixel i lies at i + ½; boxes that are not aligned are at least 1 × 1 pixel. A box without
/// area gives 0 where n or m is.</para>
/// <para>Shape: map (N, C, H, W), boxes (M, 5) with (image, x1, y1, x2, y2), output (M, C, h, w), in the map's dtype. Outputs, and
/// gradients of the map, are those of torchvision; boxes get none. NaN in the map reaches the bins at it.</para>
/// <para>A <c>sampling_ratio</c> of 1 to 4 does not wait for a GPU; any other does, for the number of pixels in the bins: once, or where
/// many samples are taken once for some of the boxes. Without a gradient, memory does not grow with the samples of all boxes.</para>
/// <para>He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017.</para>
/// </remarks>
public sealed class RoIAlign : nn.Module<Tensor, Tensor, Tensor>, IScriptable
{
    private readonly long[] output_size;
    private readonly double spatial_scale;
    private readonly long sampling_ratio;
    private readonly bool aligned;

    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <param name="sampling_ratio">Points a side of each bin, at most 1024; as many as the bin has pixels where not positive.</param>
    /// <param name="aligned">Whether boxes are moved by half a pixel.</param>
    /// <exception cref="ArgumentException"><paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public RoIAlign(Size output_size, double spatial_scale = 1, long sampling_ratio = -1, bool aligned = false)
        : base(nameof(RoIAlign))
    {
        this.output_size = Regions.OutputSize(output_size);
        this.spatial_scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
        this.sampling_ratio = Regions.SamplingRatio(sampling_ratio);
        this.aligned = aligned;
    }

    /// <summary>See <see cref="pooling.roi_align(Tensor, Tensor, Size, double, long, bool)"/>.</summary>
    public override Tensor forward(Tensor x, Tensor boxes) =>
        Regions.Pool(x, boxes, output_size, spatial_scale, Regions.Bin.Interpolated, sampling_ratio, aligned);

    /// <summary>See <see cref="pooling.roi_align(Tensor, IReadOnlyList{Tensor}, Size, double, long, bool)"/>.</summary>
    public Tensor forward(Tensor x, IReadOnlyList<Tensor> boxes)
    {
        using var rows = Regions.Boxes(boxes, x);
        return forward(x, rows);
    }

    ScriptDefinition IScriptable.script() => new(
        Regions.Script +
        """
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            return self.one_map(x, self.checked(boxes, x, 1), 1, self.output_size[0], self.output_size[1], self.spatial_scale, 0, self.sampling_ratio, self.aligned)
        """,
        (nameof(output_size), output_size), (nameof(spatial_scale), spatial_scale), (nameof(sampling_ratio), sampling_ratio), (nameof(aligned), aligned));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="RoIAlign"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2; or one tensor (M_i, 4) for each image: x1, y1, x2, y2. In
    /// <paramref name="x"/>'s dtype, or float32 where that is half precision. On a GPU a box of NaN, infinity or an image that
    /// is not there gives zeros.</param>
    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <param name="sampling_ratio">Points a side of each bin, at most 1024; as many as the bin has pixels where not positive.</param>
    /// <param name="aligned">Whether boxes are moved by half a pixel.</param>
    /// <returns>Shape (M, C, h, w), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, <paramref name="boxes"/> are no boxes of it,
    /// or so many that the output would hold more than 2³¹ − 1 numbers, or <paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large, or the output does not fit into memory.</exception>
    public static Tensor roi_align(Tensor x, Tensor boxes, Size output_size, double spatial_scale = 1, long sampling_ratio = -1, bool aligned = false)
    {
        var size = Regions.OutputSize(output_size);
        var scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
        return Regions.Pool(x, boxes, size, scale, Regions.Bin.Interpolated, Regions.SamplingRatio(sampling_ratio), aligned);
    }

    /// <inheritdoc cref="roi_align(Tensor, Tensor, Size, double, long, bool)"/>
    public static Tensor roi_align(
        Tensor x, IReadOnlyList<Tensor> boxes, Size output_size, double spatial_scale = 1, long sampling_ratio = -1, bool aligned = false)
    {
        using var rows = Regions.Boxes(boxes, x);
        return roi_align(x, rows, output_size, spatial_scale, sampling_ratio, aligned);
    }
}
