using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>RoIAlign over a pyramid of maps: each box is pooled from the level that fits its size.</summary>
/// <remarks>
/// <para>A box of area a is read from level k = ⌊k₀ + log₂(√a / s₀) + 10⁻⁶⌋, s₀ = <c>canonical_scale</c>, k₀ = <c>canonical_level</c>, or
/// from the nearest that there is; level k is the map of <c>spatial_scale</c> 2⁻ᵏ. There it is <see cref="RoIAlign"/>'s, not aligned. A
/// box inverted on one axis has a negative area: where there are several maps it is read from none and gives zeros.</para>
/// <para>Shape: maps (N, C, H_k, W_k), the finest first, boxes (M, 5) with (image, x1, y1, x2, y2), output (M, C, h, w), in the maps'
/// dtype and in the order of the boxes: they are never sorted by level. Outputs, and gradients of the maps, are those of
/// torchvision; boxes get none.</para>
/// <para>A <c>sampling_ratio</c> of 1 to 4 does not wait for a GPU; any other does, for the number of pixels in the bins: once, or where
/// many samples are taken once for some of the boxes. Without a gradient, memory does not grow with the samples of all boxes.</para>
/// <para>Lin, Dollár, Girshick, He, Hariharan, Belongie: Feature Pyramid Networks for Object Detection, CVPR 2017, equation 1.</para>
/// </remarks>
public sealed class MultiScaleRoIAlign : nn.Module<IReadOnlyList<Tensor>, Tensor, Tensor>, IScriptable
{
    private readonly long[] output_size;
    private readonly double[] spatial_scales;
    private readonly long sampling_ratio;
    private readonly double canonical_scale;
    private readonly long canonical_level;
    private readonly long finest;

    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scales">Pixels of each map per unit of the boxes: powers of two, each half of the one before it.</param>
    /// <param name="sampling_ratio">Points a side of each bin, at most 1024; as many as the bin has pixels where not positive.</param>
    /// <param name="canonical_scale">s₀: the side of a box that is read from <paramref name="canonical_level"/>.</param>
    /// <param name="canonical_level">k₀.</param>
    /// <exception cref="ArgumentException"><paramref name="output_size"/> has not one or two entries, or
    /// <paramref name="spatial_scales"/> are no pyramid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public MultiScaleRoIAlign(
        Size output_size, double[] spatial_scales, long sampling_ratio = -1, double canonical_scale = 224, long canonical_level = 4)
        : base(nameof(MultiScaleRoIAlign))
    {
        this.output_size = Regions.OutputSize(output_size);
        this.spatial_scales = Regions.Scales(spatial_scales);
        this.sampling_ratio = Regions.SamplingRatio(sampling_ratio);
        this.canonical_scale = Regions.Scale(canonical_scale, nameof(canonical_scale));
        this.canonical_level = canonical_level;
        finest = (long)-Math.Log2(spatial_scales[0]);
    }

    /// <summary>See <see cref="pooling.multi_scale_roi_align(IReadOnlyList{Tensor}, Tensor, Size, double[], long, double, long)"/>.</summary>
    public override Tensor forward(IReadOnlyList<Tensor> maps, Tensor boxes) =>
        Regions.Pool(maps, boxes, output_size, spatial_scales, sampling_ratio, canonical_scale, canonical_level, finest);

    /// <summary>See <see cref="pooling.multi_scale_roi_align(IReadOnlyList{Tensor}, IReadOnlyList{Tensor}, Size, double[], long, double, long)"/>.</summary>
    public Tensor forward(IReadOnlyList<Tensor> maps, IReadOnlyList<Tensor> boxes)
    {
        Regions.Maps(maps, spatial_scales);
        using var rows = Regions.Boxes(boxes, maps[0]);
        return forward(maps, rows);
    }

    ScriptDefinition IScriptable.script() => new(
        Regions.Script +
        """
        def forward(self, maps: List[Tensor], boxes: Tensor) -> Tensor:
            if len(maps) != len(self.spatial_scales):
                ops.prim.RaiseException("expected one map for each of spatial_scales")
            for each in maps:
                if each.dim() != 4 or each.size(0) != maps[0].size(0) or each.size(1) != maps[0].size(1) or each.dtype != maps[0].dtype:
                    ops.prim.RaiseException("expected maps (N, C, H, W) of one N, C and dtype")
            return self.many_maps(maps, self.checked(boxes, maps[0], 1), self.output_size[0], self.output_size[1], self.spatial_scales[0], self.sampling_ratio, self.canonical_scale, self.canonical_level, self.finest)
        """,
        (nameof(output_size), output_size), (nameof(spatial_scales), spatial_scales), (nameof(sampling_ratio), sampling_ratio),
        (nameof(canonical_scale), canonical_scale), (nameof(canonical_level), canonical_level), (nameof(finest), finest));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="MultiScaleRoIAlign"/>.</summary>
    /// <param name="maps">Feature maps, shapes (N, C, H_k, W_k), one for each scale.</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2; or one tensor (M_i, 4) for each image: x1, y1, x2, y2. In
    /// the maps' dtype, or float32 where that is half precision. On a GPU a box of NaN, infinity or an image that is not there
    /// gives zeros.</param>
    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scales">Pixels of each map per unit of the boxes: powers of two, each half of the one before it.</param>
    /// <param name="sampling_ratio">Points a side of each bin, at most 1024; as many as the bin has pixels where not positive.</param>
    /// <param name="canonical_scale">s₀: the side of a box that is read from <paramref name="canonical_level"/>.</param>
    /// <param name="canonical_level">k₀.</param>
    /// <returns>Shape (M, C, h, w), in the maps' dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="maps"/> are no feature maps of the same N, C, dtype and device, one for each
    /// scale; <paramref name="boxes"/> are no boxes of them, or so many that the output would hold more than 2³¹ − 1 numbers; <paramref name="output_size"/> has not one or two entries, or
    /// <paramref name="spatial_scales"/> are no pyramid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large, or the output does not fit into memory.</exception>
    public static Tensor multi_scale_roi_align(
        IReadOnlyList<Tensor> maps, Tensor boxes, Size output_size, double[] spatial_scales, long sampling_ratio = -1,
        double canonical_scale = 224, long canonical_level = 4)
    {
        using var layer = new MultiScaleRoIAlign(output_size, spatial_scales, sampling_ratio, canonical_scale, canonical_level);
        return layer.forward(maps, boxes);
    }

    /// <inheritdoc cref="multi_scale_roi_align(IReadOnlyList{Tensor}, Tensor, Size, double[], long, double, long)"/>
    public static Tensor multi_scale_roi_align(
        IReadOnlyList<Tensor> maps, IReadOnlyList<Tensor> boxes, Size output_size, double[] spatial_scales, long sampling_ratio = -1,
        double canonical_scale = 224, long canonical_level = 4)
    {
        using var layer = new MultiScaleRoIAlign(output_size, spatial_scales, sampling_ratio, canonical_scale, canonical_level);
        return layer.forward(maps, boxes);
    }
}
