using TorchPooling;
using static TorchSharp.torch;

namespace Benchmarks.Cases;

/// <summary>Inputs that grow in one dimension, with their gradients.</summary>
internal static class GrowthCases
{
    public static IEnumerable<Series> All(bool quick)
    {
        long[] images = quick ? [1, 2] : [4, 8, 16, 32];
        long[] sides = quick ? [8, 12] : [20, 28, 40, 56, 80];
        long[] numbers = quick ? [4, 8] : [32, 64, 128, 256, 512];
        long[] channels = quick ? [8, 16] : [128, 256, 512, 1024];
        long[] boxes = quick ? [10, 20] : [250, 500, 1000, 2000];
        Setting map = quick ? new(2, 8, 8, 8) : new(8, 256, 30, 40);
        map = map with { Backward = true };
        return
        [
            .. Maps("NetVLAD", at => new NetVLAD(numbers[1], at.C)),
            new("NetVLAD", "K", [.. numbers.Select(k => (k, MemoryCases.Ours($"NetVLAD, K = {k}", map, at => new NetVLAD(k, at.C))))]),
            .. Maps("SpatialPyramidPool2d", _ => new SpatialPyramidPool2d()),
            .. Maps("PowerPool2d, 3×3", _ => new PowerPool2d(3, 2, 1)),
            .. Maps("SoftPool2d, 3×3", _ => new SoftPool2d(3, 2, 1)),
            .. Regions("RoIAlign, 2 samples", new RoIAlign(7, 1 / 16.0, 2)),
            .. Regions("RoIPool", new RoIPool(7, 1 / 16.0)),
        ];

        IEnumerable<Series> Maps(string name, Func<Setting, Module> make) =>
        [
            new(name, "N", [.. images.Select(n => (n, MemoryCases.Ours(name, map with { N = n }, make)))]),
            new(name, "H·W", [.. sides.Select(side => (side * side, MemoryCases.Ours(name, map with { H = side, W = side }, make)))]),
            new(name, name == "NetVLAD" ? "D" : "C", [.. channels.Select(c => (c, MemoryCases.Ours(name, map with { C = c }, make)))]),
        ];

        IEnumerable<Series> Regions(string name, nn.Module<Tensor, Tensor, Tensor> module)
        {
            var setting = quick ? map : new(1, 256, 50, 50) { Backward = true };
            Case With(long count) => new($"{name}, {count} boxes", setting, at => new(
                [at.Map(), RegionCases.Boxes(at.H, count).to(at.Device)], new Contestant(Contestant.Ours, t => module.call(t[0], t[1]))));
            yield return new(name, "boxes", [.. boxes.Select(count => (count, With(count)))]);
        }
    }
}
