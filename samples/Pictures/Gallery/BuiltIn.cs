using OperatorPictures.Drawing;
using SkiaSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>The poolings that TorchSharp has.</summary>
internal static class BuiltIn
{
    public static IEnumerable<Illustration> All =>
    [
        new("MaxPool2d", photograph => WindowPanel.Draw(photograph, () => nn.MaxPool2d(8))),
        new("AvgPool2d", photograph => WindowPanel.Draw(photograph, () => nn.AvgPool2d(8))),
        new("LPPool2d", photograph => WindowPanel.Draw(photograph, () => nn.LPPool2d(2, 8), shown: 8)),
        new("AdaptiveMaxPool2d", Adaptive),
        new("FractionalMaxPool2d", Fractional),
        new("MaxUnpool2d", Unpooled),
    ];

    private static SKBitmap Adaptive(Photograph photograph)
    {
        const int Bins = 7;

        using var scope = NewDisposeScope();
        using var max = nn.AdaptiveMaxPool2d([Bins, Bins]);
        using var average = nn.AdaptiveAvgPool2d([Bins, Bins]);
        var figure = Figure.Of("7×7 bins of the photograph, as even as they can be", photograph.Rgb);
        for (var i = 1; i < Bins; i++)
        {
            figure.Line(i * Figure.Width / Bins, 0, i * Figure.Width / Bins, Figure.Height, SKColors.White);
            figure.Line(0, i * Figure.Height / Bins, Figure.Width, i * Figure.Height / Bins, SKColors.White);
        }

        return Panel.Draw(
            "nn.AdaptiveMaxPool2d([7, 7]), nn.AdaptiveAvgPool2d([7, 7])", figure,
            Figure.Of("their maxima", max.call(photograph.Rgb)), Figure.Of("their means", average.call(photograph.Rgb)));
    }

    private static SKBitmap Fractional(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = nn.FractionalMaxPool2d((8, 8), output_size: (14, 20));
        var figure = Figure.Of("8×8 windows at random steps: where they begin", photograph.Rgb);
        foreach (var x in Starts(pool, arange(Figure.Width, ScalarType.Float32).expand(1, 1, Figure.Height, Figure.Width))[0, 0, 0].data<float>())
        {
            figure.Line(x, 0, x, Figure.Height, SKColors.White.WithAlpha(170));
        }

        foreach (var y in Starts(pool, arange(Figure.Height, ScalarType.Float32).unsqueeze(1).expand(1, 1, Figure.Height, Figure.Width))[0, 0, TensorIndex.Colon, 0].contiguous().data<float>())
        {
            figure.Line(0, y, Figure.Width, y, SKColors.White.WithAlpha(170));
        }

        random.manual_seed(1);
        var first = pool.call(photograph.Grey);
        return Panel.Draw(
            "nn.FractionalMaxPool2d((8, 8), output_size: (14, 20))", figure, Figure.Of("pooled, 20×14", first),
            Figure.Of("pooled once more: other steps", pool.call(photograph.Grey)));
    }

    /// <summary>The first row or column of each window: the same seed draws the same steps for the same shape.</summary>
    private static Tensor Starts(nn.Module<Tensor, Tensor> pool, Tensor ramp)
    {
        random.manual_seed(1);
        return pool.call(-ramp.contiguous()).neg();
    }

    private static SKBitmap Unpooled(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = nn.MaxPool2d(4);
        using var inverse = nn.MaxUnpool2d(4);
        var (pooled, places) = pool.forward_with_indices(photograph.Rgb);
        return Panel.Draw(
            "nn.MaxUnpool2d(4)", Figure.Of("the photograph, 240×160", photograph.Rgb).Box(Detail.Frame, Figure.Orange),
            Figure.Of("nn.MaxPool2d(4) in the frame: it keeps the places of the maxima", Detail.Of(pooled, 4)),
            Figure.Of("unpooled: each maximum at its place, 0 elsewhere", Detail.Of(inverse.call(pooled, places, null))));
    }
}
