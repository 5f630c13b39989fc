using MultiScale.Data;
using MultiScale.Search;
using SkiaSharp;

namespace MultiScale.Report;

/// <summary>A scene and what was found in it.</summary>
internal static class ScenePicture
{
    private const int Scale = 3;
    private const int LabelHeight = 15;

    private static readonly SKColor Right = SKColor.Parse("#2fbf4f");
    private static readonly SKColor Wrong = SKColor.Parse("#ff4136");
    private static readonly SKColor Missed = SKColor.Parse("#ffd400");

    /// <summary>Green what is right, red what is wrong, yellow and broken the objects that nothing right was found for.</summary>
    public static SKBitmap Draw(SceneScore score, IReadOnlyList<string> classes, double threshold)
    {
        var bitmap = Pixels.Grey(score.Scene.Image, Scale);
        using var canvas = new SKCanvas(bitmap);
        using var font = new SKFont(SKTypeface.Default, 13);
        var shown = score.Found.Where(item => item.Found.Score >= threshold).ToList();
        foreach (var missed in score.Missed(threshold))
        {
            Frame(canvas, font, missed.Box, Missed, classes[missed.Label], broken: true);
        }

        foreach (var (found, about) in shown)
        {
            Frame(canvas, font, found.Box, about is null ? Wrong : Right, FormattableString.Invariant($"{classes[found.Label]} {100 * found.Score:0}"), broken: false);
        }

        return bitmap;
    }

    private static void Frame(SKCanvas canvas, SKFont font, Box box, SKColor color, string text, bool broken)
    {
        using var dashes = SKPathEffect.CreateDash([6, 5], 0);
        using var line = new SKPaint { Color = color, Style = SKPaintStyle.Stroke, StrokeWidth = 2, PathEffect = broken ? dashes : null };
        using var fill = new SKPaint { Color = color, IsAntialias = true };
        using var ink = new SKPaint { Color = SKColors.Black, IsAntialias = true };
        var (left, top) = ((float)box.Left * Scale, (float)box.Top * Scale);
        canvas.DrawRect(left, top, (float)(box.Right - box.Left) * Scale, (float)(box.Bottom - box.Top) * Scale, line);
        var (baseline, width) = (broken ? (float)box.Bottom * Scale : Math.Max(top, LabelHeight), font.MeasureText(text) + 6);   // what was found on top, what was missed below
        canvas.DrawRect(left, baseline - LabelHeight, width, LabelHeight, fill);
        canvas.DrawText(text, left + 3, baseline - 3, SKTextAlign.Left, font, ink);
    }
}
