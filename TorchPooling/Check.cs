using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The argument checks of all operators: what is wrong is said before native code sees it.</summary>
internal static partial class Check
{
    /// <summary>A floating-point map (N, C, H, W) with C, H, W ≥ 1; N may be 0.</summary>
    public static void FeatureMap(Tensor x, string name = "x") => Map(x, 2, name);

    /// <summary>A floating-point sequence (N, C, L), map (N, C, H, W) or volume (N, C, D, H, W), all but N at least 1.</summary>
    public static void Map(Tensor x, int dimensions, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        var (what, sides) = dimensions switch { 1 => ("sequence", "L"), 2 => ("feature map", "H, W"), _ => ("volume", "D, H, W") };
        if (x.dim() != dimensions + 2)
        {
            throw new ArgumentException($"expected a {what} (N, C, {sides}), got {Describe(x)}", name);
        }

        if (x.shape.AsSpan(1).Contains(0))
        {
            throw new ArgumentException($"expected a {what} (N, C, {sides}) with C, {sides} ≥ 1, got {Shape(x)}", name);
        }

        FloatingPoint(x, name);
    }

    /// <summary>A feature map whose C is <paramref name="channels"/>.</summary>
    public static void FeatureMap(Tensor x, long channels, string name = "x")
    {
        FeatureMap(x, name);
        Channels(x, 1, channels, name);
    }

    /// <summary>Local descriptors of <paramref name="channels"/> numbers: a map (N, C, H, W) or a set (N, C, M), C, H, W, M ≥ 1.</summary>
    public static void Descriptors(Tensor x, long channels, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() is not (3 or 4) || x.shape.AsSpan(1).Contains(0))
        {
            var found = x.dim() is 3 or 4 ? $" with C, H, W, M ≥ 1, got {Shape(x)}" : $", got {Describe(x)}";
            throw new ArgumentException($"expected a feature map (N, C, H, W) or descriptors (N, C, M){found}", name);
        }

        FloatingPoint(x, name);
        Channels(x, 1, channels, name);
    }

    /// <summary>A video (N, T, C, H, W) with T, C, H, W ≥ 1, whose C is <paramref name="channels"/>.</summary>
    public static void Video(Tensor x, long channels, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != 5 || x.shape.AsSpan(1).Contains(0))
        {
            var found = x.dim() == 5 ? $" with T, C, H, W ≥ 1, got {Shape(x)}" : $", got {Describe(x)}";
            throw new ArgumentException($"expected a video (N, T, C, H, W){found}", name);
        }

        FloatingPoint(x, name);
        Channels(x, 2, channels, name);
    }

    /// <summary>bool or floating-point, (N, H, W) for a map, (N, M) for a set; or null.</summary>
    public static void Mask(Tensor? mask, Tensor x)
    {
        if (mask is not null)
        {
            Exactly(mask, [x.size(0), .. x.shape[2..]], nameof(mask));
            MaskType(mask, x);
        }
    }

    /// <summary>bool or floating-point, (N, T) or (N, T, H, W) for a video; or null.</summary>
    public static void VideoMask(Tensor? mask, Tensor x)
    {
        if (mask is not null)
        {
            Exactly(mask, mask.dim() == 2 ? [x.size(0), x.size(1)] : [x.size(0), x.size(1), x.size(3), x.size(4)], nameof(mask));
            MaskType(mask, x);
        }
    }

    private static void MaskType(Tensor mask, Tensor x)
    {
        if (mask.dtype != ScalarType.Bool && !mask.is_floating_point())
        {
            throw new ArgumentException($"expected a mask of bool or floating-point weights, got {mask.dtype} {Shape(mask)}", nameof(mask));
        }

        if (!SameDevice(mask, x))
        {
            throw new ArgumentException($"expected the mask on {x.device} as the descriptors, got {mask.device}", nameof(mask));
        }
    }

    private static void Channels(Tensor x, int dim, long channels, string name)
    {
        if (x.size(dim) != channels)
        {
            var what = x.dim() switch { 3 => "descriptors", 4 => "a feature map", _ => "a video" };
            throw new ArgumentException($"expected {channels} channels, got {what} {Shape(x)} with {x.size(dim)}", name);
        }
    }

    /// <summary>Floating-point vectors (…, F) whose F is <paramref name="length"/>.</summary>
    public static void LastDimension(Tensor x, long length, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() < 1 || x.size(-1) != length)
        {
            throw new ArgumentException($"expected vectors (…, {length}), got {Describe(x)}", name);
        }

        FloatingPoint(x, name);
    }

    /// <summary>A floating-point matrix (M, D) with M ≥ <paramref name="rows"/> and D = <paramref name="columns"/>, or any D ≥ 1
    /// where null.</summary>
    public static void Matrix(Tensor x, long rows, long? columns, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() != 2 || x.size(0) < rows || x.size(1) < 1 || x.size(1) != (columns ?? x.size(1)))
        {
            throw new ArgumentException($"expected a matrix (M{(rows > 0 ? $" ≥ {rows}" : "")}, {columns?.ToString(CultureInfo.InvariantCulture) ?? "D ≥ 1"}), got {Describe(x)}", name);
        }

        FloatingPoint(x, name);
    }

    /// <summary>A floating-point tensor (N, C, …) of which no dimension but N is empty.</summary>
    public static void SecondDimension(Tensor x, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (x.dim() < 2 || x.shape.AsSpan(1).Contains(0))
        {
            throw new ArgumentException($"expected a tensor (N, C, …) of which no dimension but N is empty, got {Describe(x)}", name);
        }

        FloatingPoint(x, name);
    }

    /// <summary>A tensor of exactly this shape.</summary>
    public static void Exactly(Tensor x, ReadOnlySpan<long> shape, string name)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        if (!shape.SequenceEqual(x.shape))
        {
            throw new ArgumentException($"expected the shape ({string.Join(", ", shape.ToArray())}), got {Describe(x)}", name);
        }

        Dense(x, name);
    }

    /// <summary>A tensor that holds all its values, as few kernels of libtorch do without.</summary>
    public static void Dense(Tensor x, string name)
    {
        if (x.is_sparse || x.device_type == DeviceType.META)
        {
            throw new ArgumentException($"expected a dense tensor with values, got {(x.is_sparse ? "sparse " : "")}{x.dtype} on {x.device} {Shape(x)}", name);
        }
    }

    public static void FloatingPoint(Tensor x, string name)
    {
        if (!x.is_floating_point())
        {
            throw new ArgumentException($"expected a floating-point tensor, got {x.dtype} {Shape(x)}", name);
        }

        Dense(x, name);
    }

    /// <summary>The input has the dtype and the device of the layer's parameters.</summary>
    public static void LikeParameters(Tensor x, Tensor parameter, string name = "x")
    {
        if (x.dtype != parameter.dtype || !SameDevice(x, parameter))
        {
            throw new ArgumentException(
                $"expected {parameter.dtype} on {parameter.device} as the parameters have, got {x.dtype} on {x.device}", name);
        }
    }

    /// <summary>The input is on the device of the layer's parameters, which take its dtype.</summary>
    public static void OnDeviceOf(Tensor parameter, Tensor x, string name = "x")
    {
        if (!SameDevice(x, parameter))
        {
            throw new ArgumentException($"expected a map on {parameter.device} as the parameters, got one on {x.device}", name);
        }
    }

    /// <summary>The dtype and the device of another tensor.</summary>
    public static void Like(Tensor x, Tensor other, string name)
    {
        if (x.dtype != other.dtype || !SameDevice(x, other))
        {
            throw new ArgumentException($"expected {other.dtype} on {other.device}, got {x.dtype} on {x.device}", name);
        }
    }

    public static void Finite(double value, string name)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(name, value, "expected a finite number");
        }

        HeldBy(ScalarType.Float32, value, name);
    }

    /// <summary>Finite centres of this shape, in the dtype that will hold them too.</summary>
    public static void Centers(Tensor centers, ReadOnlySpan<long> shape, ScalarType dtype, string name)
    {
        Exactly(centers, shape, name);
        FloatingPoint(centers, name);
        using var scope = NewDisposeScope();
        if (!centers.isfinite().all().ToBoolean())
        {
            throw new ArgumentException("expected finite centres, got NaN or infinity among them", name);
        }

        if (!centers.to(dtype).isfinite().all().ToBoolean())
        {
            throw new ArgumentException($"expected centres that {dtype} holds, got up to {centers.abs().max().ToDouble():G3}", name);
        }
    }

    /// <summary>The folder of a file to be written: that of its draft too, so that the draft can take the file's place.</summary>
    public static string FolderOf(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return Directory.Exists(folder) ? folder : throw new DirectoryNotFoundException($"no folder {folder} to write {path} to");
    }

    public static void NotNegative(double value, string name)
    {
        if (!(value >= 0) || double.IsInfinity(value))
        {
            throw new ArgumentOutOfRangeException(name, value, "expected a finite number that is not negative");
        }

        HeldBy(ScalarType.Float32, value, name);
    }

    /// <summary>A number that does not overflow the dtype: libtorch refuses to compute with it.</summary>
    public static void HeldBy(ScalarType dtype, double value, string name)
    {
        var largest = dtype switch
        {
            ScalarType.Float16 => (double)Half.MaxValue,
            ScalarType.BFloat16 => 3.3895313892515355e38,
            ScalarType.Float64 => double.MaxValue,
            _ => float.MaxValue,
        };
        if (Math.Abs(value) > largest)
        {
            throw new ArgumentOutOfRangeException(name, value, $"expected a number that {dtype} holds");
        }
    }

    /// <summary>Height and width, or one number for both, none below <paramref name="least"/> or beyond int; a copy.</summary>
    public static long[] Pair(Size size, long least, string name)
    {
        long[] pair = size.Shape switch
        {
            [var both] => [both, both],
            [var height, var width] => [height, width],
            var other => throw new ArgumentException($"expected one number or (height, width), got [{string.Join(", ", other ?? [])}]", name),
        };
        if (pair.Min() < least || pair.Max() > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(name, pair.Min() < least ? pair.Min() : pair.Max(), $"expected {least} to {int.MaxValue}");
        }

        return pair;
    }

    public static void Range(long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"expected {least} to {most}");
        }
    }

    /// <summary>A generator that can draw for a map, not disposed and on its device; or null for the global one.</summary>
    public static void Generator(Generator? generator, Tensor x)
    {
        if (generator is null)
        {
            return;
        }

        if (generator.Handle == IntPtr.Zero)   // libtorch would draw from the global one
        {
            throw new ArgumentException("expected a generator that is not disposed", nameof(generator));
        }

        if (generator.device.type != x.device_type)
        {
            throw new ArgumentException($"expected a generator on {x.device} as the map, got {generator.device}", nameof(generator));
        }

        if (x.device_type != DeviceType.CPU)   // TorchSharp makes every generator on the CPU and notes the other device only
        {
            throw new ArgumentException(
                $"expected null for a map on {x.device}: TorchSharp's generators draw on the CPU alone, whatever device they name", nameof(generator));
        }
    }

    public static bool SameDevice(Tensor x, Tensor y) => x.device_type == y.device_type && x.device_index == y.device_index;

    /// <summary>The dtype that sums are held in: half precision is widened.</summary>
    public static ScalarType AtLeastFloat32(ScalarType dtype) =>
        dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : dtype;

    public static string Shape(Tensor x) => $"({string.Join(", ", x.shape)})";

    private static string Describe(Tensor x) => $"{x.dim()} dimensions {Shape(x)}";
}
