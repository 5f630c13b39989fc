using SkiaSharp;

namespace OperatorPictures.Drawing;

/// <summary>A picture of the operator reference: the call, and under it three figures with a caption each.</summary>
internal static class Panel
{
    public const int Width = (3 * Figure.Width) + (4 * Margin);
    public const int Height = 244;

    private const int Margin = 16;
    private const int Top = 36;
    private const float CodeSize = 15;
    private const float CaptionSize = 11.5f;
    private const float LineHeight = 15;

    public static SKBitmap Draw(string call, params Figure[] figures)
    {
        var bitmap = new SKBitmap(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        Letters.DrawCode(canvas, call, Margin, 23, Letters.Fit(call, CodeSize, Width - (2 * Margin)), Figure.Ink);
        for (var i = 0; i < figures.Length; i++)
        {
            var left = Margin + (i * (Figure.Width + Margin));
            canvas.DrawBitmap(figures[i].Bitmap, left, Top);
            var line = Top + Figure.Height + LineHeight;
            var lines = Letters.Wrap(figures[i].Caption, CaptionSize, Figure.Width).ToList();
            if (lines.Count > 2)
            {
                throw new InvalidOperationException($"no room for a third line: '{figures[i].Caption}'");
            }

            foreach (var text in lines)
            {
                Letters.Draw(canvas, text, left, line, CaptionSize, Figure.Ink);
                line += LineHeight;
            }

            figures[i].Dispose();
        }

        return bitmap;
    }
}
