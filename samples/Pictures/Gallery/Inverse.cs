using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Poolings with a way back.</summary>
internal static class Inverse
{
    public static IEnumerable<Illustration> All =>
    [
        new("SwitchedMaxPool2d", Switched),
        new("ProbabilisticMaxPool2d", Probabilistic),
    ];

    private static SKBitmap Switched(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var module = new SwitchedMaxPool2d(2);
        var (values, _) = pooling.switched_max_pool2d(photograph.Rgb, 2);
        return Panel.Draw(
            "new SwitchedMaxPool2d(2)", Figure.Of("the photograph, 240×160", photograph.Rgb).Box(Detail.Frame, Figure.Orange),
            Figure.Of("what the body sees, in the frame: the maxima of 2×2", Detail.Of(values, 2)),
            Figure.Of("what comes back where there is no body: the maxima at their places", Detail.Of(module.call(photograph.Rgb))));
    }

    /// <summary>The units' input is how much stronger than a threshold an edge is.</summary>
    private static SKBitmap Probabilistic(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new ProbabilisticMaxPool2d(8);
        var sobel = tensor(new float[] { -1, 0, 1, -2, 0, 2, -1, 0, 1 }).reshape(1, 1, 3, 3);
        var padded = nn.functional.pad(photograph.Grey, [1, 1, 1, 1], PaddingModes.Replicate);
        var edges = nn.functional.conv2d(padded, sobel).abs() + nn.functional.conv2d(padded, sobel.transpose(2, 3)).abs();
        var x = (6 * edges) - 9;
        var hidden = Detail.Of(pool.hidden(x));
        return Panel.Draw(
            "new ProbabilisticMaxPool2d(8)",
            Figure.Of("the units' input: edges of the photograph, less a threshold", Pixels.Heat(edges[0, 0], 2)).Grid(8, 0.6f).Box(Detail.Frame, Figure.Orange),
            Figure.Of("P(pool on): dark red is 1; whether there is an edge in the block", Pixels.Heat(pool.call(x)[0, 0], 1)),
            Figure.Of("the way back, P(h = 1) in the frame: where, one unit a block at most", Pixels.Heat(hidden[0, 0], 0.3)).Lines(8 * Detail.Zoom));
    }
}
