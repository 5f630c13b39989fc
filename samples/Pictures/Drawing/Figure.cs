using SkiaSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Drawing;

/// <summary>One of the drawings of a panel, 240×160, to which marks are added; what it shows stands under it.</summary>
internal sealed class Figure : IDisposable
{
    public const int Width = Photograph.Width;
    public const int Height = Photograph.Height;

    public static readonly SKColor Orange = new(236, 98, 0);
    public static readonly SKColor Ink = new(40, 44, 52);

    private readonly SKBitmap bitmap = new(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
    private readonly SKCanvas canvas;

    private Figure(string caption)
    {
        Caption = caption;
        canvas = new(bitmap);
        canvas.Clear(SKColors.White);
    }

    public string Caption { get; }

    public SKBitmap Bitmap => bitmap;

    /// <summary>An image (1, 3, H, W) or (1, 1, H, W), its pixels enlarged to squares that fill the figure.</summary>
    public static Figure Of(string caption, Tensor image) => new Figure(caption).Place(image, new SKRect(0, 0, Width, Height));

    /// <summary>An empty figure.</summary>
    public static Figure Blank(string caption) => new(caption);

    /// <summary>Draws an image into a rectangle, nearest neighbour.</summary>
    public Figure Place(Tensor image, SKRect target)
    {
        using var small = Pixels.Bitmap(image);
        using var picture = SKImage.FromBitmap(small);
        canvas.DrawImage(picture, target, new SKSamplingOptions(SKFilterMode.Nearest));
        return this;
    }

    /// <summary>Lines between squares of <paramref name="step"/>, in figure pixels.</summary>
    public Figure Grid(float step, float opacity = 0.45f) => Grid(step, step, opacity);

    public Figure Grid(float stepX, float stepY, float opacity = 0.45f)
    {
        using var paint = Stroke(SKColors.White.WithAlpha((byte)(255 * opacity)), 1);
        paint.IsAntialias = false;
        for (var x = stepX; x < Width; x += stepX)
        {
            canvas.DrawLine(x, 0, x, Height, paint);
        }

        for (var y = stepY; y < Height; y += stepY)
        {
            canvas.DrawLine(0, y, Width, y, paint);
        }

        return this;
    }

    /// <summary>Grey lines between squares of <paramref name="step"/>, on a light figure.</summary>
    public Figure Lines(float step)
    {
        for (var x = step; x < Width; x += step)
        {
            Line(x, 0, x, Height, Ink.WithAlpha(90));
        }

        for (var y = step; y < Height; y += step)
        {
            Line(0, y, Width, y, Ink.WithAlpha(90));
        }

        return this;
    }

    public Figure Box(SKRect box, SKColor color, float width = 2)
    {
        using var under = Stroke(SKColors.White.WithAlpha(200), width + 2);
        using var paint = Stroke(color, width);
        canvas.DrawRect(box, under);
        canvas.DrawRect(box, paint);
        return this;
    }

    public Figure Fill(SKRect box, SKColor color)
    {
        using var paint = new SKPaint { Color = color };
        canvas.DrawRect(box, paint);
        return this;
    }

    public Figure Outline(SKRect box, SKColor? color = null)
    {
        using var paint = Stroke(color ?? Ink.WithAlpha(120), 1);
        canvas.DrawRect(box, paint);
        return this;
    }

    public Figure Ring(float x, float y, SKColor color, float radius = 5)
    {
        using var under = Stroke(SKColors.White, 4);
        using var paint = Stroke(color, 2.4f);
        canvas.DrawCircle(x, y, radius, under);
        canvas.DrawCircle(x, y, radius, paint);
        return this;
    }

    public Figure Line(float x0, float y0, float x1, float y1, SKColor color, float width = 1)
    {
        using var paint = Stroke(color, width);
        canvas.DrawLine(x0, y0, x1, y1, paint);
        return this;
    }

    /// <summary>Text with its left end, or its right end, on a point of the base line.</summary>
    public Figure Text(string text, float x, float y, SKTextAlign align = SKTextAlign.Left, float size = 10)
    {
        Letters.Draw(canvas, text, x, y, size, Ink, align);
        return this;
    }

    public void Dispose()
    {
        canvas.Dispose();
        bitmap.Dispose();
    }

    private static SKPaint Stroke(SKColor color, float width) =>
        new() { Color = color, IsStroke = true, StrokeWidth = width, IsAntialias = true };
}
