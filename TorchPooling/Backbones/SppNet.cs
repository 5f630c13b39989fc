using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>SPPNet: one set of weights for images of any size, and for any regions of them.</summary>
/// <remarks>
/// <para>y = classifier(pyramid(backbone(x))): the pyramid makes a vector of C·Σn² from the map of any image. With boxes the map is
/// computed once, and the pyramid reads each box of it: a region holds the pixels of the map whose centres lie within the box (on its
/// border is not within), that of pixel i being at stride·(i + ½) of the image; where there is none, one pixel at the box.</para>
/// <para>Shape: input (N, C, H, W) with H and W of at least <see cref="min_size"/>, output as the classifier's of (N, C'·Σn²), C' the
/// backbone's channels; with boxes of (M, C'·Σn²).</para>
/// <para>Children, and state_dict prefixes: <c>backbone</c>, <c>classifier</c>. In TorchScript the boxes are an optional second argument.</para>
/// <para>He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition, ECCV 2014; the boxes
/// as its appendix maps them, ⌊x/S⌋ + 1 to ⌈x/S⌉ − 1, for a backbone whose first centre is half a stride from the border.</para>
/// </remarks>
public sealed class SppNet : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> backbone;
    private readonly nn.Module<Tensor, Tensor> classifier;
    private readonly SpatialPyramidPool2d pyramid;
    private readonly RoISpatialPyramidPool regions;
    private readonly double stride;

    /// <param name="backbone">From images to maps (N, C', h, w).</param>
    /// <param name="classifier">From vectors of C'·Σn² to scores.</param>
    /// <param name="stride">Pixels of the image per pixel of the map: 2^p for p poolings of size 2.</param>
    /// <param name="levels">Bins a side of each level of the pyramid, at most 1024; 1, 2, 4 where null.</param>
    /// <param name="min_size">The smallest height and width of an image that the backbone takes; <paramref name="stride"/> where null, which
    /// leaves one pixel of a map whose convolutions are padded.</param>
    /// <exception cref="ArgumentException"><paramref name="levels"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small or too large.</exception>
    public SppNet(
        nn.Module<Tensor, Tensor> backbone, nn.Module<Tensor, Tensor> classifier, long stride, long[]? levels = null, long? min_size = null)
        : base(nameof(SppNet))
    {
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(classifier);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stride);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(min_size ?? 1, nameof(min_size));
        this.backbone = backbone;
        this.classifier = classifier;
        this.stride = stride;
        this.min_size = min_size ?? stride;
        regions = new(levels);
        pyramid = new(levels);
        RegisterComponents();
    }

    /// <summary>The smallest height and width of an image.</summary>
    public long min_size { get; }

    /// <summary>Scores of whole images.</summary>
    /// <param name="x">Images, shape (N, C, H, W).</param>
    /// <returns>The classifier's output, an image a row.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no batch of images, or smaller than <see cref="min_size"/>, or the backbone
    /// makes no map of it.</exception>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return classifier.call(pyramid.call(Map(x))).MoveToOuterDisposeScope();
    }

    /// <summary>Scores of regions; the backbone runs once for all of them.</summary>
    /// <param name="x">Images, shape (N, C, H, W).</param>
    /// <param name="boxes">Shape (M, 5): image, x1, y1, x2, y2 in pixels of the images, (0, 0, W, H) being a whole one, in the map's
    /// dtype or, where that is half precision, float32. On a GPU a box of NaN, infinity or an image that is not there gives a
    /// vector of zeros to the classifier.</param>
    /// <returns>The classifier's output, a box a row.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no batch of images, or smaller than <see cref="min_size"/>, or the backbone
    /// makes no map of it, or <paramref name="boxes"/> are none of these images.</exception>
    public Tensor forward(Tensor x, Tensor boxes)
    {
        ArgumentNullException.ThrowIfNull(boxes);
        using var scope = NewDisposeScope();
        var map = Map(x);
        Regions.Boxes(boxes, map, [1, 1], map.size(1));
        var (left, top) = (First(1, map.size(3)), First(2, map.size(2)));
        var (right, bottom) = (Last(3, map.size(3)), Last(4, map.size(2)));
        return classifier.call(regions.call(map, cat([boxes.narrow(1, 0, 1), left, top, right, bottom], 1))).MoveToOuterDisposeScope();

        Tensor First(long edge, long size) => (InMap(edge) - Held(0.5)).floor().Plus(1).clamp(Held(0), Held(size - 1));

        Tensor Last(long edge, long size) => ((InMap(edge) - Held(0.5)).ceil() - Held(1)).clamp(Held(0), Held(size - 1));

        // Over a tensor: a GPU multiplies by the reciprocal of a number, which may move the edge by a pixel.
        Tensor InMap(long edge) => boxes.narrow(1, edge, 1) / full(1, Held(stride), dtype: boxes.dtype, device: boxes.device);
    }

    private Tensor Map(Tensor x)
    {
        Check.FeatureMap(x);
        if (x.size(2) < min_size || x.size(3) < min_size)
        {
            throw new ArgumentException($"expected images of at least {min_size}×{min_size} (H×W), got {x.size(2)}×{x.size(3)}", nameof(x));
        }

        var map = backbone.call(x);
        Check.FeatureMap(map, nameof(backbone));
        return map;
    }

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor, boxes: Optional[Tensor] = None) -> Tensor:
            if x.size(2) < self.min_size or x.size(3) < self.min_size:
                ops.prim.RaiseException("the image is smaller than min_size")
            map = self.backbone.forward(x)
            if boxes is None:
                vectors = self.pyramid.forward(map)
            else:
                boxes = self.regions.checked(boxes, map, 1)
                stride = torch.full([1], self.stride, dtype=boxes.dtype, device=boxes.device)
                first = (boxes.narrow(1, 1, 2) / stride - 0.5).floor() + 1
                last = (boxes.narrow(1, 3, 2) / stride - 0.5).ceil() - 1
                left, top = first.narrow(1, 0, 1).clamp(0, map.size(3) - 1), first.narrow(1, 1, 1).clamp(0, map.size(2) - 1)
                right, bottom = last.narrow(1, 0, 1).clamp(0, map.size(3) - 1), last.narrow(1, 1, 1).clamp(0, map.size(2) - 1)
                vectors = self.regions.forward(map, torch.cat([boxes.narrow(1, 0, 1), left, top, right, bottom], 1))
            return self.classifier.forward(vectors)
        """,
        (nameof(stride), stride), (nameof(min_size), min_size));
}
