using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Poolings of boxes.</summary>
internal static class RegionsOfInterest
{
    private static readonly SKRect Post = new(184, 106, 220, 142);
    private static readonly SKColor Blue = new(30, 90, 220);

    public static IEnumerable<Illustration> All =>
    [
        new("RoIPool", RoIPool),
        new("RoIAlign", RoIAlign),
        new("PSRoIPool", photograph => PositionSensitive(photograph, new PSRoIPool((3, 3), Scale), "new PSRoIPool((3, 3), spatial_scale: 0.25)")),
        new("PSRoIAlign", photograph => PositionSensitive(photograph, new PSRoIAlign((3, 3), Scale), "new PSRoIAlign((3, 3), spatial_scale: 0.25)")),
        new("RoISpatialPyramidPool", Pyramid),
        new("MultiScaleRoIAlign", Levels),
    ];

    private const double Scale = 1.0 / Features.Cell;

    private static SKBitmap RoIPool(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new RoIPool((16, 16));
        return Crops("new RoIPool((16, 16))", photograph, pool.call(photograph.Rgb, Boxes(Photograph.Car, Post)), "the maxima of 16×16 bins");
    }

    private static SKBitmap RoIAlign(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new RoIAlign((16, 16), aligned: true);
        return Crops("new RoIAlign((16, 16), aligned: true)", photograph, pool.call(photograph.Rgb, Boxes(Photograph.Car, Post)), "interpolated means of 16×16 bins");
    }

    private static SKBitmap Crops(string call, Photograph photograph, Tensor crops, string what) => Panel.Draw(
        call, Shown(photograph, "two boxes of any size and place"), Figure.Of($"the first box: {what}", crops[0..1]), Figure.Of("the second box, of the same size now", crops[1..2]));

    /// <summary>Nine maps, each for what looks like one ninth of the car; a box is read part by part.</summary>
    private static SKBitmap PositionSensitive(Photograph photograph, nn.Module<Tensor, Tensor, Tensor> pool, string call)
    {
        using var scope = NewDisposeScope();
        using var owned = pool;
        var beside = SKRect.Create(Photograph.Car.Left - 44, Photograph.Car.Top + 6, Photograph.Car.Width, Photograph.Car.Height);
        var map = nn.functional.avg_pool2d(photograph.Rgb, Features.Cell);
        using var align = new RoIAlign((3, 3), Scale, aligned: true);
        var parts = align.call(map, Boxes(Photograph.Car)).flatten(2)[0];   // (3, 9)
        var maps = (map.unsqueeze(2) - parts.reshape(1, 3, 9, 1, 1)).square().sum(1).mul(-50).exp();
        var tiles = Figure.Blank("nine maps: what looks like each ninth of the car; framed: what it reads");
        for (var i = 0; i < 9; i++)
        {
            var target = SKRect.Create(i % 3 * 81, i / 3 * 54, 78, 52);
            tiles.Place(Pixels.Heat(maps[0, i], 1), target).Outline(target);
            var ninth = SKRect.Create(
                Photograph.Car.Left + (i % 3 * Photograph.Car.Width / 3), Photograph.Car.Top + (i / 3 * Photograph.Car.Height / 3),
                Photograph.Car.Width / 3, Photograph.Car.Height / 3);
            tiles.Box(Within(ninth, target), Figure.Orange, 1);
        }

        var scores = pool.call(maps, Boxes(Photograph.Car, beside));
        var answers = Figure.Blank(FormattableString.Invariant($"3×3 parts of either box; mean {scores[0].mean().ToDouble():0.00} and {scores[1].mean().ToDouble():0.00}"));
        for (var box = 0; box < 2; box++)
        {
            var target = SKRect.Create(box * 124, 22, 116, 116);
            answers.Place(Pixels.Heat(scores[box, 0], 0.5), target).Box(target, box == 0 ? Figure.Orange : Blue);
        }

        return Panel.Draw(
            call, Figure.Of("a box on the car, and one beside it", photograph.Rgb).Box(Photograph.Car, Figure.Orange).Box(beside, Blue), tiles, answers);
    }

    private static SKBitmap Pyramid(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new RoISpatialPyramidPool([1, 2, 4]);
        var vectors = pool.call(photograph.Rgb, Boxes(Photograph.Car, Post));
        var levels = Figure.Blank("1, 4 and 16 bins of the first box (above) and of the second");
        var strips = Figure.Blank("their vectors, (1 + 4 + 16)·3 numbers each");
        for (var box = 0; box < 2; box++)
        {
            var (start, left) = (0L, 0);
            foreach (var n in new long[] { 1, 2, 4 })
            {
                levels.Place(vectors[box].narrow(0, start, 3 * n * n).reshape(1, 3, n, n), SKRect.Create(left, box * 84, 76, 76));
                (start, left) = (start + (3 * n * n), left + 82);
            }

            strips.Place(vectors[box].reshape(1, 1, 1, -1), SKRect.Create(0, 22 + (box * 84), Figure.Width, 34));
        }

        return Panel.Draw("new RoISpatialPyramidPool([1, 2, 4])", Shown(photograph, "two boxes of any size and place"), levels, strips);
    }

    /// <summary>Three levels of scale 1, 1/2 and 1/4; the canonical box of 64 pixels belongs to the middle one.</summary>
    private static SKBitmap Levels(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new MultiScaleRoIAlign((16, 16), [1, 0.5, 0.25], canonical_scale: 64, canonical_level: 1);
        SKRect[] boxes = [new(125, 80, 145, 100), Photograph.Car, new(4, 20, 150, 156)];
        Tensor[] maps = [photograph.Rgb, nn.functional.avg_pool2d(photograph.Rgb, 2), nn.functional.avg_pool2d(photograph.Rgb, 4)];
        var crops = pool.call(maps, Boxes(boxes));
        SKColor[] colors = [Figure.Orange, Blue, Figure.Ink];
        SKRect[] tiles = [SKRect.Create(0, 0, 150, 100), SKRect.Create(156, 0, 75, 50), SKRect.Create(156, 62, 37.5f, 25)];
        var levels = Figure.Blank("three maps of it, of scale 1, 1/2 and 1/4: each box is read from one");
        var pooled = Figure.Blank("the boxes pooled to 16×16 each");
        var shown = Figure.Of("three boxes: small, middle and large", photograph.Rgb);
        for (var i = 0; i < boxes.Length; i++)
        {
            levels.Place(maps[i], tiles[i]).Box(Within(boxes[i], tiles[i]), colors[i], 1);
            shown.Box(boxes[i], colors[i]);
            var target = SKRect.Create(i * 82, 42, 76, 76);
            pooled.Place(crops[i..(i + 1)], target).Box(target, colors[i]);
        }

        return Panel.Draw(
            "new MultiScaleRoIAlign((16, 16), [1, 0.5, 0.25], canonical_scale: 64, canonical_level: 1)", shown, levels, pooled);
    }

    private static Figure Shown(Photograph photograph, string caption) => Figure.Of(caption, photograph.Rgb).Box(Photograph.Car, Figure.Orange).Box(Post, Blue);

    /// <summary>A box of the photograph where the photograph is drawn into a tile.</summary>
    private static SKRect Within(SKRect box, SKRect tile) => SKRect.Create(
        tile.Left + (box.Left * tile.Width / Figure.Width), tile.Top + (box.Top * tile.Height / Figure.Height),
        box.Width * tile.Width / Figure.Width, box.Height * tile.Height / Figure.Height);

    private static Tensor Boxes(params SKRect[] boxes) =>
        tensor(boxes.SelectMany(box => new[] { 0, box.Left, box.Top, box.Right, box.Bottom }).ToArray()).reshape(-1, 5);
}
