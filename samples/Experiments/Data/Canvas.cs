using SkiaSharp;

namespace Experiments.Data;

/// <summary>A grey bitmap under a brush whose unit is the side of a picture.</summary>
internal sealed class Canvas : IDisposable
{
    private readonly SKBitmap bitmap;
    private readonly SKCanvas canvas;
    private readonly SKPaint paint = new() { IsAntialias = true, StrokeCap = SKStrokeCap.Round, StrokeJoin = SKStrokeJoin.Round };

    public Canvas(int height, int width, int unit)
    {
        bitmap = new(new SKImageInfo(width, height, SKColorType.Gray8, SKAlphaType.Opaque));
        canvas = new(bitmap);
        canvas.Scale(unit);
    }

    /// <summary>That of the ground.</summary>
    public float Grey { get; set; }

    public void Slope(float from, float to, float angle, float width, float height)
    {
        var (x, y) = (width / 2 * MathF.Cos(angle), height / 2 * MathF.Sin(angle));
        using var shader = SKShader.CreateLinearGradient(
            new(width / 2 - x, height / 2 - y), new(width / 2 + x, height / 2 + y), [Color(from), Color(to)], SKShaderTileMode.Clamp);
        paint.Shader = shader;
        canvas.DrawRect(0, 0, width, height, paint);
        paint.Shader = null;
    }

    public void Fill(SKPath path, float grey) => Draw(path, grey, SKPaintStyle.Fill, 0);

    public void Stroke(SKPath path, float width, float grey) => Draw(path, grey, SKPaintStyle.Stroke, width);

    /// <summary>Row by row, 0 to 1, with a little noise.</summary>
    public float[] Pixels(Random rng)
    {
        canvas.Flush();
        var values = new float[bitmap.Width * bitmap.Height];
        for (var y = 0; y < bitmap.Height; y++)
        {
            var row = bitmap.GetPixelSpan().Slice(y * bitmap.RowBytes, bitmap.Width);
            for (var x = 0; x < row.Length; x++)
            {
                var noise = rng.NextSingle() + rng.NextSingle() + rng.NextSingle() - 1.5f;   // of deviation ½
                values[(y * bitmap.Width) + x] = Math.Clamp((row[x] / 255f) + (0.16f * noise), 0, 1);
            }
        }

        return values;
    }

    public void Dispose()
    {
        paint.Dispose();
        canvas.Dispose();
        bitmap.Dispose();
    }

    private void Draw(SKPath path, float grey, SKPaintStyle style, float width)
    {
        (paint.Color, paint.Style, paint.StrokeWidth) = (Color(grey), style, width);
        canvas.DrawPath(path, paint);
    }

    private static SKColor Color(float grey)
    {
        var value = (byte)Math.Round(255 * grey);
        return new(value, value, value);
    }
}
