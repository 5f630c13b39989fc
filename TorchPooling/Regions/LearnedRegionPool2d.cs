using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Pooling over regions that are learned, one set for all images: R weighted means over the positions of a map.</summary>
/// <remarks>
/// <para>y[n, c·R + r] = Σ over h,w of m_r(h,w)·x[n,c,h,w], m_r the softmax over the positions of <c>weight</c>[r]: each region is a
/// distribution, whatever training does to its numbers. All start at 0: every region is the mean of the map. The regions part as soon as
/// what reads them weighs them differently, as a linear layer with random weights does; they share one start, so a reader that treats them
/// alike keeps them alike.</para>
/// <para>The parameter <c>weight</c> has the shape (R, height, width). For a map of another size it is resized bilinearly (pixel centres, no
/// anti-aliasing, as <c>interpolate</c> with align_corners false) before the softmax, so that every size of map works.</para>
/// <para>Shape: input (N, C, H, W); output (N, C·R), channels outermost as the levels of <see cref="SpatialPyramidPool2d"/>, in the
/// input's dtype. Cost: one matrix product, R times the reading of the map.</para>
/// <para>Malinowski, Fritz: Learnable Pooling Regions for Image Classification, ICLR Workshops 2013. Before it Jia, Huang, Darrell:
/// Beyond Spatial Pyramids: Receptive Field Learning for Pooled Image Features, CVPR 2012.</para>
/// </remarks>
public sealed class LearnedRegionPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly Parameter weight;

    /// <param name="num_regions">R.</param>
    /// <param name="height">Height of the regions' maps: that of the feature maps, or coarser for smoother regions.</param>
    /// <param name="width">Width of the regions' maps.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or the parameter does not fit into memory.</exception>
    /// <exception cref="ArgumentException"><paramref name="dtype"/> is no floating-point type.</exception>
    public LearnedRegionPool2d(long num_regions, long height, long width, Device? device = null, ScalarType? dtype = null)
        : base(nameof(LearnedRegionPool2d))
    {
        Check.Range(num_regions, 1, int.MaxValue, nameof(num_regions));
        Check.Range(height, 1, int.MaxValue, nameof(height));
        Check.Range(width, 1, int.MaxValue, nameof(width));
        Check.Parameter([num_regions, height, width], device, dtype, nameof(num_regions));
        weight = new Parameter(zeros([num_regions, height, width], dtype: dtype, device: device));
        weight.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>Length of the output for a map of <paramref name="channels"/> channels: C·R.</summary>
    public long output_length(long channels) => channels * weight.size(0);

    /// <summary>See <see cref="pooling.learned_region_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.learned_region_pool2d(x, weight);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            maps = torch.upsample_bilinear2d(self.weight.to(wide.dtype).unsqueeze(0), [x.size(2), x.size(3)], False)
            regions = maps.squeeze(0).flatten(1).softmax(1)
            return torch.matmul(wide.flatten(2), regions.t()).flatten(1).to(x.dtype)
        """);
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="LearnedRegionPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="weight">The regions before their softmax, shape (R, h, w), of any floating-point dtype.</param>
    /// <returns>Shape (N, C·R), entry c·R + r, in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map, or <paramref name="weight"/> has another
    /// shape, device or no floating-point dtype.</exception>
    public static Tensor learned_region_pool2d(Tensor x, Tensor weight)
    {
        Check.FeatureMap(x);
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 3 || weight.shape.Contains(0))
        {
            throw new ArgumentException($"expected regions (R, h, w), got {weight.dim()} dimensions {Check.Shape(weight)}", nameof(weight));
        }

        Check.FloatingPoint(weight, nameof(weight));
        if (!Check.SameDevice(x, weight))
        {
            throw new ArgumentException($"expected the regions on {x.device} as the map, got {weight.device}", nameof(weight));
        }

        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var maps = nn.functional.interpolate(
            weight.to(wide.dtype).unsqueeze(0), [x.size(2), x.size(3)], mode: InterpolationMode.Bilinear, align_corners: false);
        var regions = maps.squeeze(0).flatten(1).softmax(1);   // (R, H·W)
        return wide.flatten(2).matmul(regions.t()).flatten(1).to(x.dtype).MoveToOuterDisposeScope();
    }
}
