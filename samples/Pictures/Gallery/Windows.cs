using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Poolings of windows.</summary>
internal static class Windows
{
    public static IEnumerable<Illustration> All =>
    [
        new("SoftPool2d", photograph => WindowPanel.Draw(photograph, () => new SoftPool2d(8), brightness: 10)),
        new("OverlappingMaxPool2d", photograph => WindowPanel.Draw(
            photograph, () => new OverlappingMaxPool2d(12, stride: 8, padding: 2), kernel: 12, said: "the pixels that are a maximum, in the frame; black: one window")),
        new("OverlappingAvgPool2d", photograph => WindowPanel.Draw(
            photograph, () => new OverlappingAvgPool2d(12, stride: 8, padding: 2), kernel: 12, said: "what each pixel counts: most where windows meet; black: one window")),
        new("PowerPool2d", photograph => WindowPanel.Draw(photograph, () => new PowerPool2d(8, p: 4, mean: true))),
        new("CenterWeightedAvgPool2d", photograph => WindowPanel.Draw(photograph, () => new CenterWeightedAvgPool2d(8, weighting: CenterWeighting.Gaussian, width: 2))),
        new("StochasticPool2d", Stochastic),
        new("LogSumExpPool2d", photograph => WindowPanel.Draw(photograph, () => new LogSumExpPool2d(8, r: 10))),
        new("MedianPool2d", photograph => WindowPanel.Draw(photograph, () => new MedianPool2d(7), kernel: 7, said: "the pixels that are a median, in the frame")),
    ];

    private static SKBitmap Stochastic(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var pool = new StochasticPool2d(8, generator: generator);
        var drawn = WindowPanel.Counts(pool, photograph.Grey);
        var trained = pool.call(photograph.Rgb);
        pool.eval();
        return Panel.Draw(
            "new StochasticPool2d(8, generator: generator)",
            WindowPanel.Detailed(photograph, drawn, 8, 8, "training: one pixel of each window is drawn, bright ones more often"),
            Figure.Of("pooled in training mode, 30×20", trained),
            Figure.Of("pooled in eval mode: the mean by the same probabilities", pool.call(photograph.Rgb)));
    }
}
