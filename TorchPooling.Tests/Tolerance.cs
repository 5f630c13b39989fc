using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>How far two computations of the same value may lie apart, relative to its size, by dtype.</summary>
internal static class Tolerance
{
    public static double Of(ScalarType dtype) => dtype switch
    {
        ScalarType.Float64 => 1e-12,
        ScalarType.Float32 => 2e-6,
        ScalarType.Float16 => 2e-3,
        ScalarType.BFloat16 => 1.6e-2,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "no tolerance"),
    };

    /// <summary>The same for a GPU and a CPU, whose kernels add in another order.</summary>
    public static double OnCuda(ScalarType dtype) => dtype == ScalarType.Float64 ? 1e-9 : 1e-4;

    /// <summary>Fails unless shape and dtype agree and |actual − expected| ≤ tolerance · max(1, |expected|max).</summary>
    public static void AssertClose(Tensor expected, Tensor actual, double? tolerance = null, string where = "")
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.dtype, actual.dtype);
        if (expected.numel() == 0)
        {
            return;
        }

        var wide = expected.detach().cpu().to(ScalarType.Float64);
        var gap = (wide - actual.detach().cpu().to(ScalarType.Float64)).abs().max().ToDouble();
        var allowed = (tolerance ?? Of(expected.dtype)) * Math.Max(1, wide.abs().max().ToDouble());
        Assert.True(gap <= allowed, $"{where} differs by {gap:G4}, allowed {allowed:G4}");
    }
}
