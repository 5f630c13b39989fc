using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <content>What a setting asks of the machine.</content>
internal static partial class Check
{
    private const double Gibibyte = 1L << 30;

    /// <summary>What this thread takes for the memory of the machine, in bytes: tests take less.</summary>
    [ThreadStatic]
    internal static long? MemoryLimit;

    /// <summary>A parameter can be made and trained: in this dtype, on this device, and in memory with its gradient and two moments.</summary>
    public static void Parameter(ReadOnlySpan<long> shape, Device? device, ScalarType? dtype, string name)
    {
        ParameterType(dtype);
        ParameterDevice(device);
        Memory(shape, dtype, name, copies: 4);
    }

    /// <summary>A dtype that parameters can be trained in; null is the default, float32.</summary>
    public static void ParameterType(ScalarType? dtype)
    {
        if (dtype is not (null or ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64))
        {
            throw new ArgumentException($"expected a floating-point dtype, got {dtype}", nameof(dtype));
        }
    }

    /// <summary>A device of this machine that parameters can live on; null is the default, the CPU.</summary>
    public static void ParameterDevice(Device? device)
    {
        if (device is not null && device.index >= Devices(device.type))
        {
            throw new ArgumentException($"expected a device of this machine that holds values, got {device}", nameof(device));
        }
    }

    /// <summary>Tensors of this shape, made from settings, fit into memory: the system may hand out more than it has, and end the
    /// process that fills it.</summary>
    public static void Memory(ReadOnlySpan<long> shape, ScalarType? dtype, string name, int copies = 1)
    {
        var type = dtype ?? ScalarType.Float32;
        var bytes = (double)copies * type.ElementSize();
        foreach (var size in shape)
        {
            bytes *= size;   // beyond 2⁶³ too
        }

        var limit = MemoryLimit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > limit)
        {
            var tensors = $"{(copies > 1 ? $"{copies} times " : "")}{type} ({string.Join(", ", shape.ToArray())})";
            throw new ArgumentOutOfRangeException(
                name, $"expected what fits into {limit / Gibibyte:0.##} GiB of memory, got {tensors}, which takes {bytes / Gibibyte:0.##} GiB");
        }
    }

    private static int Devices(DeviceType type) => type switch
    {
        DeviceType.CPU => 1,
        DeviceType.CUDA when cuda.is_available() => cuda.device_count(),
        DeviceType.MPS when mps_is_available() => 1,
        _ => int.MinValue,   // below the index of "any", -1
    };
}
