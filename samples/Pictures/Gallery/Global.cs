using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;

namespace OperatorPictures.Gallery;

/// <summary>Descriptors of a whole map.</summary>
internal static class Global
{
    public static IEnumerable<Illustration> All =>
    [
        new("GeM2d", photograph => GlobalPanel.Draw(photograph, () => new GeM2d(p: 3))),
        new("MAC", photograph => GlobalPanel.Draw(photograph, () => new MAC(), "where its values come from: a place for each channel")),
        new("RMAC", photograph => GlobalPanel.Draw(photograph, () => new RMAC(levels: 3), "where its values come from; white: the squares of level 2", Squares)),
        new("SPoC", photograph => GlobalPanel.Draw(photograph, () => new SPoC(center_prior: true))),
        new("CroW", photograph => GlobalPanel.Draw(photograph, () => new CroW())),
        new("LogSumExp2d", photograph => GlobalPanel.Draw(photograph, () => new LogSumExp2d(r: 10))),
        new("AttentionPool2d", Filters.Attention),
    ];

    /// <summary>The second level's squares on a map of 60×40: two rows of three, 26 a side.</summary>
    private static void Squares(Figure figure)
    {
        for (var i = 0; i < 6; i++)
        {
            figure.Outline(SKRect.Create(i % 3 * 17 * Features.Cell, i / 3 * 14 * Features.Cell, 26 * Features.Cell, 26 * Features.Cell), SKColors.White);
        }
    }
}
