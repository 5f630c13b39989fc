using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The pooling over regions of interest: checks in front of <see cref="Script"/>.</summary>
internal static partial class Regions
{
    /// <summary>The most bins a side and samples a side of a bin.</summary>
    public const long Most = 1024;

    /// <summary>How the pixels of a bin become one number.</summary>
    public enum Bin
    {
        Interpolated = 0,
        Mean = 1,
        Max = 2,
    }

    /// <summary>Bins (h, w), each 1 to <see cref="Most"/>.</summary>
    public static long[] OutputSize(Size output_size)
    {
        var size = Check.Pair(output_size, 1, nameof(output_size));
        return size.Max() <= Most ? size : throw new ArgumentOutOfRangeException(nameof(output_size), size.Max(), $"expected 1 to {Most}");
    }

    /// <summary>Pixels of the map per unit of the boxes: positive, and a float32.</summary>
    public static double Scale(double scale, string name) => scale > 0 && float.IsFinite((float)scale)
        ? scale
        : throw new ArgumentOutOfRangeException(name, scale, "expected a positive number that float32 holds");

    public static long SamplingRatio(long sampling_ratio) => sampling_ratio <= Most
        ? Math.Max(sampling_ratio, -1)
        : throw new ArgumentOutOfRangeException(nameof(sampling_ratio), sampling_ratio, $"expected at most {Most}");

    /// <summary>Pools the boxes of one map; with more than one plane, bin p reads channels p, p + planes, ….</summary>
    public static Tensor Pool(
        Tensor x, Tensor boxes, long[] output_size, double spatial_scale, Bin bin, long sampling_ratio = 0, bool aligned = false, long planes = 1)
    {
        Check.FeatureMap(x);
        if (x.size(1) % planes != 0)
        {
            throw new ArgumentException(
                $"expected channels in multiples of {output_size[0]}·{output_size[1]} = {planes} bins, got a feature map {Check.Shape(x)} with {x.size(1)}", nameof(x));
        }

        Boxes(boxes, x, output_size, x.size(1) / planes);
        using var fixed_boxes = boxes.detach();
        return Invoke("one_map", x, fixed_boxes, planes, output_size[0], output_size[1], spatial_scale, (long)bin, sampling_ratio, aligned);
    }

    /// <summary>Powers of two, each half of the one before it; a copy.</summary>
    public static double[] Scales(double[] spatial_scales)
    {
        ArgumentNullException.ThrowIfNull(spatial_scales);
        double[] copy = [.. spatial_scales];
        if (copy.Length == 0 || !double.IsPow2(Scale(copy[0], nameof(spatial_scales))) || copy.Zip(copy.Skip(1)).Any(pair => pair.Second * 2 != pair.First))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"expected powers of two, each half of the one before it, got [{string.Join(", ", copy.Select(scale => FormattableString.Invariant($"{scale}")))}]"), nameof(spatial_scales));
        }

        return copy;
    }

    /// <summary>One map for each scale, of the same N, C, dtype and device.</summary>
    public static void Maps(IReadOnlyList<Tensor> maps, double[] spatial_scales)
    {
        ArgumentNullException.ThrowIfNull(maps);
        if (maps.Count != spatial_scales.Length)
        {
            throw new ArgumentException($"expected {spatial_scales.Length} maps, one for each scale, got {maps.Count}", nameof(maps));
        }

        foreach (var map in maps)
        {
            Check.FeatureMap(map, nameof(maps));
            Check.Like(map, maps[0], nameof(maps));
            if (map.size(0) != maps[0].size(0) || map.size(1) != maps[0].size(1))
            {
                throw new ArgumentException($"expected maps of one N and C, got {Check.Shape(maps[0])} and {Check.Shape(map)}", nameof(maps));
            }
        }
    }

    /// <summary>Pools each box from the map that fits its size.</summary>
    public static Tensor Pool(
        IReadOnlyList<Tensor> maps, Tensor boxes, long[] output_size, double[] spatial_scales, long sampling_ratio, double canonical_scale,
        long canonical_level, long finest)
    {
        Maps(maps, spatial_scales);
        Boxes(boxes, maps[0], output_size, maps[0].size(1));
        using var fixed_boxes = boxes.detach();
        return Invoke(
            "many_maps", maps.ToArray(), fixed_boxes, output_size[0], output_size[1], spatial_scales[0], sampling_ratio, canonical_scale, canonical_level, finest);
    }

    /// <summary>Bins a side of each level; a copy.</summary>
    public static long[] Levels(long[]? levels)
    {
        long[] copy = [.. levels ?? [1, 2, 4]];
        if (copy.Length == 0)
        {
            throw new ArgumentException("expected one or more levels, got none", nameof(levels));
        }

        foreach (var n in copy)
        {
            if (n is < 1 or > Most)
            {
                throw new ArgumentOutOfRangeException(nameof(levels), n, $"expected 1 to {Most} bins a side");
            }
        }

        return copy;
    }

    /// <summary>The maxima of every level side by side, (M, C·Σn²).</summary>
    public static Tensor Pyramid(Tensor x, Tensor boxes, long[] levels, double spatial_scale)
    {
        Check.FeatureMap(x);
        Boxes(boxes, x, [1, levels.Sum(n => n * n)], x.size(1), nameof(levels));
        using var scope = NewDisposeScope();
        var pyramid = Array.ConvertAll(levels, n => Pool(x, boxes, [n, n], spatial_scale, Bin.Max).flatten(1));
        return cat(pyramid, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Boxes (M, 5) on the device of the map, in its dtype or, where that is half precision, float32.</summary>
    public static void Boxes(Tensor boxes, Tensor x, long[] output_size, long channels, string sizeName = "output_size")
    {
        ArgumentNullException.ThrowIfNull(boxes);
        if (boxes.dim() != 2 || boxes.size(1) != 5)
        {
            throw new ArgumentException($"expected boxes (M, 5) of image, x1, y1, x2, y2, got {boxes.dim()} dimensions {Check.Shape(boxes)}", nameof(boxes));
        }

        LikeMap(boxes, x);
        if (Math.Max(boxes.size(0), 1) > int.MaxValue / channels / (output_size[0] * output_size[1]))
        {
            throw new ArgumentException(
                $"expected at most {int.MaxValue} numbers in the output, got {boxes.size(0)} boxes of {channels}×{output_size[0]}×{output_size[1]}", nameof(boxes));
        }

        if (boxes.device_type == DeviceType.CPU)
        {
            Fits(1, sizeName);
            Fits(boxes.size(0), nameof(boxes));
            Finite(boxes, x.size(0));
        }

        // bins as rows of channels, and those turned into maps
        void Fits(long count, string name) => Check.Memory([count, channels, .. output_size], Check.AtLeastFloat32(x.dtype), name, copies: 2);
    }

    /// <summary>The (M, 5) boxes of one tensor (M_i, 4) per image.</summary>
    public static Tensor Boxes(IReadOnlyList<Tensor> boxes, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(boxes);
        ArgumentNullException.ThrowIfNull(x);
        if (x.dim() != 4 || boxes.Count != x.size(0))
        {
            throw new ArgumentException($"expected one tensor of boxes for each image of {Check.Shape(x)}, got {boxes.Count}", nameof(boxes));
        }

        using var scope = NewDisposeScope();
        var rows = boxes.Select((each, image) =>
        {
            if (each is null || each.dim() != 2 || each.size(1) != 4)
            {
                throw new ArgumentException(
                    $"expected boxes (M, 4) of x1, y1, x2, y2 for image {image}, got {(each is null ? "null" : $"{each.dim()} dimensions {Check.Shape(each)}")}", nameof(boxes));
            }

            LikeMap(each, x);
            var wide = each.detach().to(Check.AtLeastFloat32(each.dtype));   // in half precision not every index of an image is a number
            return nn.functional.pad(wide, [1, 0], PaddingModes.Constant, image);
        }).ToList();
        return (rows.Count > 0 ? cat(rows) : zeros([0, 5], dtype: Check.AtLeastFloat32(x.dtype), device: x.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Calls a function of <see cref="Script"/>.</summary>
    public static Tensor Invoke(string function, params object[] arguments)
    {
        using var scope = NewDisposeScope();
        return ScriptNumbers.Held(arguments, held => (Tensor)Unit.Value.invoke(function, held)).MoveToOuterDisposeScope();
    }

    private static void LikeMap(Tensor boxes, Tensor x)
    {
        Check.Dense(boxes, nameof(boxes));
        if ((boxes.dtype != x.dtype && boxes.dtype != Check.AtLeastFloat32(x.dtype)) || !Check.SameDevice(boxes, x))
        {
            throw new ArgumentException($"expected boxes of {x.dtype} on {x.device} as the map, got {boxes.dtype} on {boxes.device}", nameof(boxes));
        }
    }

    private static void Finite(Tensor boxes, long images)
    {
        using var scope = NewDisposeScope();
        var good = Invoke("usable", boxes, images);
        if (!good.all().ToBoolean())
        {
            var row = good.to(ScalarType.Int32).argmin().ToInt64();
            var numbers = MemoryMarshal.Cast<byte, double>(boxes[row].detach().to(ScalarType.Float64).contiguous().bytes);
            throw new ArgumentException(
                $"expected finite boxes of the images 0 to {images - 1}, got ({string.Join(", ", numbers.ToArray().Select(n => FormattableString.Invariant($"{n:G6}")))}) in row {row}", nameof(boxes));
        }
    }
}
