using TorchPooling;
using static TorchSharp.torch;

namespace Benchmarks;

internal static class Cases
{
    /// <summary>The list, with small inputs where <paramref name="quick"/>.</summary>
    public static IReadOnlyList<Case> All(bool quick)
    {
        var (side, channels, count) = quick ? (10, 8, 10) : (50, 512, 1000);
        var input = $"{count} boxes, {side}×{side}×{channels}";
        return
        [
            .. Both($"RoIAlign, 2 samples, {input}", t => pooling.roi_align(t[0], t[1], 7, 1 / 16.0, 2), "ops.roi_align(x, boxes, 7, 1 / 16, 2)"),
            .. Both($"RoIAlign, adaptive, {input}", t => pooling.roi_align(t[0], t[1], 7, 1 / 16.0), "ops.roi_align(x, boxes, 7, 1 / 16)"),
            .. Both($"RoIPool, {input}", t => pooling.roi_pool(t[0], t[1], 7, 1 / 16.0), "ops.roi_pool(x, boxes, 7, 1 / 16)"),
        ];

        IEnumerable<Case> Both(string name, Func<Tensor[], Tensor> ours, string reference) =>
            from backward in new[] { false, true }
            select new Case(backward ? $"{name}, with gradient" : name, () => Regions(side, channels, count), ours, reference, backward);
    }

    /// <summary>A map, and boxes in pixels of an image 16 times its size, of 2 to 32 pixels of the map a side.</summary>
    private static (string, Tensor)[] Regions(long side, long channels, long count)
    {
        using var generator = new Generator(1);
        var sides = rand([count, 2], generator: generator).mul(4).exp2().mul(2 * 16).clamp(max: 16 * side);
        var corner = rand([count, 2], generator: generator) * ((16 * side) - sides);
        var x = randn([1, channels, side, side], generator: generator);
        return [("x", x), ("boxes", cat([zeros(count, 1), corner, corner + sides], 1))];
    }
}
