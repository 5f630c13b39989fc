using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Fast spatial pyramid pooling (SPPF of YOLOv5): each position sees the maxima of ever larger squares around it.</summary>
/// <remarks>
/// <para>y₀ = x, yₛ = the k×k maximum at stride 1 of yₛ₋₁; the output is y₀ … y_S, concatenated over the channels. yₛ is
/// the maximum of a square of side s·(k − 1) + 1: with k = 5 and S = 3 those of 5, 9 and 13, as the SPP block of earlier YOLOs
/// pools them side by side, for 3·25 comparisons a pixel in place of 275.</para>
/// <para>Beyond the border counts as nothing. Over ties each stage gives the gradient to its first in row-major order; a NaN
/// spreads over the squares that hold it.</para>
/// <para>This is the pooling alone: the 1×1 convolutions before and after it in YOLO are the network's.</para>
/// <para>Shape: input (N, C, H, W); output (N, (S + 1)·C, H, W), in the input's dtype.</para>
/// <para>Jocher: YOLOv5 (Ultralytics, 2021), module SPPF; the idea of He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep
/// Convolutional Networks for Visual Recognition, ECCV 2014.</para>
/// </remarks>
public sealed class FastSpatialPyramidPool2d : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long kernel_size;
    private readonly long stages;

    /// <param name="kernel_size">k, odd.</param>
    /// <param name="stages">S, 1 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kernel_size"/> is even or not positive, or
    /// <paramref name="stages"/> not 1 to 1024.</exception>
    public FastSpatialPyramidPool2d(long kernel_size = 5, long stages = 3)
        : base(nameof(FastSpatialPyramidPool2d))
    {
        pooling.CheckStages(kernel_size, stages);
        this.kernel_size = kernel_size;
        this.stages = stages;
    }

    /// <summary>See <see cref="pooling.fast_spatial_pyramid_pool2d"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.fast_spatial_pyramid_pool2d(x, kernel_size, stages);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            rows = min(self.kernel_size, 2 * x.size(2) - 1)
            columns = min(self.kernel_size, 2 * x.size(3) - 1)
            maps = [x]
            map = x
            if x.device == torch.device("meta"):
                map = x
            elif x.device == torch.device("cpu"):
                map = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
            for stage in range(self.stages):
                map = torch.max_pool2d(map, [rows, columns], [1, 1], [rows // 2, columns // 2])
                maps.append(map)
            return torch.cat(maps, 1)
        """,
        (nameof(kernel_size), kernel_size), (nameof(stages), stages));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="FastSpatialPyramidPool2d"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="kernel_size">k, odd.</param>
    /// <param name="stages">S, 1 to 1024.</param>
    /// <returns>Shape (N, (S + 1)·C, H, W), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kernel_size"/> is even or not positive, or
    /// <paramref name="stages"/> not 1 to 1024, or the output does not fit into memory.</exception>
    public static Tensor fast_spatial_pyramid_pool2d(Tensor x, long kernel_size = 5, long stages = 3)
    {
        CheckStages(kernel_size, stages);
        Check.FeatureMap(x);
        Check.Memory([stages + 1, .. x.shape], x.dtype, nameof(stages));
        using var scope = NewDisposeScope();
        // A larger window sees no more of the map, and libtorch takes time for every row of padding.
        var (rows, columns) = (Math.Min(kernel_size, (2 * x.size(2)) - 1), Math.Min(kernel_size, (2 * x.size(3)) - 1));
        var maps = new List<Tensor> { x };
        // On a CPU libtorch compares the channels of a pixel at once where they lie side by side; cat brings x's own layout back.
        var map = x.device_type == DeviceType.CPU ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x;
        for (var stage = 0; stage < stages; stage++)
        {
            map = nn.functional.max_pool2d(map, [rows, columns], [1, 1], [rows / 2, columns / 2]);
            maps.Add(map);
        }

        return cat(maps, 1).MoveToOuterDisposeScope();
    }

    internal static void CheckStages(long kernel_size, long stages)
    {
        if (kernel_size < 1 || kernel_size % 2 == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(kernel_size), kernel_size, "expected a positive odd number");
        }

        if (stages is < 1 or > 1024)
        {
            throw new ArgumentOutOfRangeException(nameof(stages), stages, "expected 1 to 1024");
        }
    }
}
