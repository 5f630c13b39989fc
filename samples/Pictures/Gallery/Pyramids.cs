using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Pyramids of bins.</summary>
internal static class Pyramids
{
    public static IEnumerable<Illustration> All =>
    [
        new("SpatialPyramidPool2d", SpatialPyramid),
    ];

    private static SKBitmap SpatialPyramid(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var module = new SpatialPyramidPool2d([1, 2, 4], BinReduction.Max);
        var vector = module.call(photograph.Rgb)[0];
        var (one, four, sixteen) = (Level(vector, 0, 1), Level(vector, 3, 2), Level(vector, 15, 4));
        var coarse = Figure.Blank("the maxima of 1 and of 4 bins, and the vector: (1 + 4 + 16)·3 numbers")
            .Place(one, SKRect.Create(0, 0, 117, 78)).Place(four, SKRect.Create(123, 0, 117, 78))
            .Place(vector.reshape(1, 1, 1, -1), SKRect.Create(0, 110, Figure.Width, 30));
        return Panel.Draw(
            "new SpatialPyramidPool2d([1, 2, 4], BinReduction.Max)",
            Figure.Of($"{Figure.Width}×{Figure.Height}, in 1, 4 and 16 bins", photograph.Rgb)
                .Grid(60, 40, 0.9f).Line(120, 0, 120, 160, Figure.Orange, 2).Line(0, 80, 240, 80, Figure.Orange, 2),
            Figure.Of("the maxima of 16 bins, in red, green and blue", sixteen),
            coarse);
    }

    private static Tensor Level(Tensor vector, long start, long n) => vector.narrow(0, start, 3 * n * n).reshape(1, 3, n, n);
}
