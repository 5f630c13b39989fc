using TorchPooling;
using static TorchSharp.torch;

namespace Benchmarks.Cases;

/// <summary>Regions of interest, beside torchvision and a loop over the boxes.</summary>
internal static class RegionCases
{
    private const double Scale = 1 / 16.0;
    private const int Bins = 7;

    public static IEnumerable<Case> All(bool quick)
    {
        var count = quick ? 10 : 1000;
        Setting[] maps = quick ? [new(1, 8, 10, 10)] : [new(1, 512, 50, 50), new(1, 256, 38, 50), new(1, 64, 50, 50)];
        Setting[] scores = quick ? [new(1, 2 * Bins * Bins, 10, 10)] : [new(1, 10 * Bins * Bins, 50, 50)];   // 10 maps for each bin, as Light-Head R-CNN has
        return
        [
            .. Both("RoIAlign, 2 samples", maps, new RoIAlign(Bins, Scale, 2), box => Align(box, _ => 2), "ops.roi_align(x, boxes, 7, 1 / 16, 2)"),
            .. Both("RoIAlign, adaptive", maps, new RoIAlign(Bins, Scale), box => Align(box, side => (long)Math.Ceiling(side / Bins)), "ops.roi_align(x, boxes, 7, 1 / 16)"),
            .. Both("RoIPool", maps, new RoIPool(Bins, Scale), Pool, "ops.roi_pool(x, boxes, 7, 1 / 16)"),
            .. Both("PSRoIAlign, 2 samples", scores, new PSRoIAlign(Bins, Scale, 2), box => OfEachBin(Align(HalfAPixelUp(box), _ => 2)), "ops.ps_roi_align(x, boxes, 7, 1 / 16, 2)", scored: true),
        ];

        IEnumerable<Case> Both(string name, Setting[] maps, nn.Module<Tensor, Tensor, Tensor> module, Func<Box, Tensor> one, string reference, bool scored = false) =>
            maps.SelectMany(map => map.Both()).Select(setting => new Case($"{name}, {count} boxes", setting, at => new(
                [at.Map(), Boxes(at.H, count).to(at.Device)],
                new(Contestant.Ours, t => module.call(t[0], t[1])),
                Exported.Of(module, at.Map(), Boxes(at.H, count).to(at.Device)),
                new("a loop over boxes", t => Loop(t[0], t[1], one)),
                new("one read, one write", t => Floor(t[0], count, scored)) { IsSame = false, IsFloor = true },
                new("torchvision", null) { Python = reference })
            { Names = ["x", "boxes"] }));
    }

    /// <summary>The map's means, written into each bin of each box.</summary>
    private static Tensor Floor(Tensor x, long boxes, bool scored)
    {
        var mean = x.mean([2, 3]).view(1, scored ? x.size(1) / (Bins * Bins) : x.size(1), scored ? Bins : 1, scored ? Bins : 1);
        return mean.expand(boxes, mean.size(1), Bins, Bins).contiguous();
    }

    /// <summary>A box on its map, (1, C, H, W), in pixels of the map.</summary>
    private readonly record struct Box(Tensor Map, float Left, float Top, float Right, float Bottom);

    private static Tensor Loop(Tensor x, Tensor boxes, Func<Box, Tensor> one)
    {
        var numbers = boxes.cpu().data<float>().ToArray();
        var pooled = new List<Tensor>();
        for (var i = 0; i < numbers.Length; i += 5)
        {
            using var scope = NewDisposeScope();
            var image = x.narrow(0, (long)numbers[i], 1);
            float At(int k) => (float)(numbers[i + k] * Scale);
            pooled.Add(one(new(image, At(1), At(2), At(3), At(4))).MoveToOuterDisposeScope());
        }

        return cat(pooled);
    }

    private static Tensor Pool(Box box)
    {
        static long Pixel(float at) => (long)Math.Round(at, MidpointRounding.AwayFromZero);
        var (left, top) = (Pixel(box.Left), Pixel(box.Top));
        var crop = box.Map.narrow(2, top, Pixel(box.Bottom) - top + 1).narrow(3, left, Pixel(box.Right) - left + 1);
        return nn.functional.adaptive_max_pool2d(crop, [Bins, Bins]);
    }

    private static Tensor Align(Box box, Func<double, long> ratio)
    {
        var (broad, tall) = (Math.Max(1, box.Right - box.Left), Math.Max(1, box.Bottom - box.Top));
        var (across, down) = (ratio(broad), ratio(tall));
        var x = Points(box.Left, broad, across, box.Map.size(3));
        var y = Points(box.Top, tall, down, box.Map.size(2));
        var grid = meshgrid([y, x], "ij");
        var at = stack([grid[1], grid[0]], -1).unsqueeze(0).to(box.Map.device);
        var samples = nn.functional.grid_sample(box.Map, at, padding_mode: GridSamplePaddingMode.Border, align_corners: true);
        return nn.functional.avg_pool2d(samples, [down, across]);
    }

    private static Box HalfAPixelUp(Box box) => new(box.Map, box.Left - 0.5f, box.Top - 0.5f, box.Right - 0.5f, box.Bottom - 0.5f);

    /// <summary>Of all channels in all bins, (1, C·bins, h, w), those that each bin has for itself.</summary>
    private static Tensor OfEachBin(Tensor pooled) =>
        pooled.view(-1, Bins * Bins, Bins * Bins).diagonal(0, 1, 2).reshape(1, -1, Bins, Bins);

    /// <summary>Where the samples of all bins are along one side, from −1 to 1.</summary>
    private static Tensor Points(double start, double extent, long ratio, long size)
    {
        var count = Bins * ratio;
        return (((arange(count, dtype: ScalarType.Float32) + 0.5) * (extent / count)) + start) * (2.0 / (size - 1)) - 1;
    }

    /// <summary>Boxes in pixels of an image 16 times the map's size, of 2 to 32 pixels of the map a side, all within the map.</summary>
    public static Tensor Boxes(long side, long count)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var sides = rand([count, 2], generator: generator).mul(4).exp2().mul(2 * 16).clamp(max: 16 * (side - 1));
        var corner = rand([count, 2], generator: generator) * ((16 * (side - 1)) - sides);
        return cat([zeros(count, 1), corner, corner + sides], 1).MoveToOuterDisposeScope();
    }
}
