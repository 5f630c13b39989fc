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
        new("FastSpatialPyramidPool2d", Fast),
        new("PyramidPoolingModule", Parsing),
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

    private static SKBitmap Fast(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var module = new FastSpatialPyramidPool2d();
        var map = nn.functional.avg_pool2d(photograph.Rgb, Features.Cell);
        var stages = module.call(map).chunk(4, 1);
        return Panel.Draw(
            "new FastSpatialPyramidPool2d(kernel_size: 5, stages: 3)", Stage("y0, a map of 60×40, and squares around one position", 1, 5, 13),
            Stage("y1: the maxima of squares of 5", 5), Stage("y3: those of 13; y2, of 9, lies between; all four are the output", 13));

        Figure Stage(string caption, params int[] sides)
        {
            var figure = Figure.Of(caption, stages[(sides[0] - 1) / 4]);
            foreach (var side in sides)
            {
                figure.Box(SKRect.Create((36 - (side / 2)) * Features.Cell, (28 - (side / 2)) * Features.Cell, side * Features.Cell, side * Features.Cell), Figure.Orange);
            }

            return figure;
        }
    }

    /// <summary>The convolutions are set to pass the three colours on, so that the branches show what they gather.</summary>
    private static SKBitmap Parsing(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var module = new PyramidPoolingModule(in_channels: 3, bins: [1, 2, 3, 6], reduction_dim: 3);
        module.eval();
        foreach (var (_, weight) in module.named_parameters().Where(parameter => parameter.parameter.dim() == 4))
        {
            weight.copy_(eye(3).reshape(3, 3, 1, 1));
        }

        var output = module.call(photograph.Rgb);
        var branches = Enumerable.Range(1, 4).Select(i => output.narrow(1, 3 * i, 3)).ToList();
        return Panel.Draw(
            "new PyramidPoolingModule(in_channels: 3, bins: [1, 2, 3, 6], reduction_dim: 3)", Figure.Of("the photograph: the output's first channels", photograph.Rgb),
            Pair("1 and 2×2 bins, interpolated (convolutions set to pass colours)", 0), Pair("3×3 and 6×6 bins: each position is told its surroundings", 2));

        Figure Pair(string caption, int first) => Figure.Blank(caption)
            .Place(branches[first], SKRect.Create(0, 40, 117, 78)).Place(branches[first + 1], SKRect.Create(123, 40, 117, 78));
    }
}
