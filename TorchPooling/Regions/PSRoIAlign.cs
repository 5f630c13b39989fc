using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Position-sensitive RoIAlign: as <see cref="RoIAlign"/>, but each bin reads channels of its own.</summary>
/// <remarks>
/// <para>Output channel c of bin (i, j) is <see cref="RoIAlign"/>'s bin (i, j) of the map's channel (c·h + i)·w + j, with aligned boxes.</para>
/// <para>Shape: map (N, c·h·w, H, W), boxes (M, 5) with (image, x1, y1, x2, y2), output (M, c, h, w), in the map's dtype. Outputs, and
/// gradients of the map, are those of torchvision; boxes get none. A box without area gives 0 where torchvision divides by zero.</para>
/// <para>A <c>sampling_ratio</c> of 1 to 4 does not wait for a GPU; any other does, for the number of pixels in the bins: once, or where
/// many samples are taken once for some of the boxes. Without a gradient, memory does not grow with the samples of all boxes.</para>
/// <para>Li, Peng, Yu, Zhang, Deng, Sun: Light-Head R-CNN, arXiv 1711.07264.</para>
/// </remarks>
public sealed class PSRoIAlign : nn.Module<Tensor, Tensor, Tensor>, IScriptable
{
    private readonly long[] output_size;
    private readonly double spatial_scale;
    private readonly long sampling_ratio;

    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <param name="sampling_ratio">Points a side of each bin, at most 1024; as many as the bin has pixels where not positive.</param>
    /// <exception cref="ArgumentException"><paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public PSRoIAlign(Size output_size, double spatial_scale = 1, long sampling_ratio = -1)
        : base(nameof(PSRoIAlign))
    {
        this.output_size = Regions.OutputSize(output_size);
        this.spatial_scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
        this.sampling_ratio = Regions.SamplingRatio(sampling_ratio);
    }

    /// <summary>See <see cref="pooling.ps_roi_align(Tensor, Tensor, Size, double, long)"/>.</summary>
    public override Tensor forward(Tensor x, Tensor boxes) =>
        Regions.Pool(x, boxes, output_size, spatial_scale, Regions.Bin.Interpolated, sampling_ratio, aligned: true, planes: output_size[0] * output_size[1]);

    /// <summary>See <see cref="pooling.ps_roi_align(Tensor, IReadOnlyList{Tensor}, Size, double, long)"/>.</summary>
    public Tensor forward(Tensor x, IReadOnlyList<Tensor> boxes)
    {
        using var rows = Regions.Boxes(boxes, x);
        return forward(x, rows);
    }

    ScriptDefinition IScriptable.script() => new(
        Regions.Script +
        """
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            return self.one_map(x, self.checked(boxes, x, self.output_size[0] * self.output_size[1]), self.output_size[0] * self.output_size[1], self.output_size[0], self.output_size[1], self.spatial_scale, 0, self.sampling_ratio, True)
        """,
        (nameof(output_size), output_size), (nameof(spatial_scale), spatial_scale), (nameof(sampling_ratio), sampling_ratio));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="PSRoIAlign"/>.</summary>
    /// <param name="x">Feature map, shape (N, c·h·w, H, W).</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2; or one tensor (M_i, 4) for each image: x1, y1, x2, y2. In
    /// <paramref name="x"/>'s dtype, or float32 where that is half precision. On a GPU a box of NaN, infinity or an image that
    /// is not there gives zeros.</param>
    /// <param name="output_size">Bins (h, w) of a box, one number for both; each at most 1024.</param>
    /// <param name="spatial_scale">Pixels of the map per unit of the boxes, 1/16 say for boxes in pixels of the image.</param>
    /// <param name="sampling_ratio">Points a side of each bin, at most 1024; as many as the bin has pixels where not positive.</param>
    /// <returns>Shape (M, c, h, w), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map of c·h·w channels, <paramref name="boxes"/> are no boxes of it,
    /// or so many that the output would hold more than 2³¹ − 1 numbers, or <paramref name="output_size"/> has not one or two entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large, or the output does not fit into memory.</exception>
    public static Tensor ps_roi_align(Tensor x, Tensor boxes, Size output_size, double spatial_scale = 1, long sampling_ratio = -1)
    {
        var size = Regions.OutputSize(output_size);
        var scale = Regions.Scale(spatial_scale, nameof(spatial_scale));
        return Regions.Pool(x, boxes, size, scale, Regions.Bin.Interpolated, Regions.SamplingRatio(sampling_ratio), aligned: true, planes: size[0] * size[1]);
    }

    /// <inheritdoc cref="ps_roi_align(Tensor, Tensor, Size, double, long)"/>
    public static Tensor ps_roi_align(
        Tensor x, IReadOnlyList<Tensor> boxes, Size output_size, double spatial_scale = 1, long sampling_ratio = -1)
    {
        using var rows = Regions.Boxes(boxes, x);
        return ps_roi_align(x, rows, output_size, spatial_scale, sampling_ratio);
    }
}
