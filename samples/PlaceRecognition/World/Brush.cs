using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>
/// Draws shapes in the metres of the plane it was last put on, in the colours that the light leaves of theirs. One
/// paint and one path serve a whole picture.
/// </summary>
internal sealed class Brush(SKCanvas canvas, Camera camera, Light light) : IDisposable
{
    private readonly SKPaint paint = new() { IsAntialias = true };
    private readonly SKPath path = new();

    internal Camera Camera => camera;

    internal Light Light => light;

    /// <summary>The part of every colour that is lost to haze.</summary>
    internal float Haze { get; set; }

    /// <summary>Factor of every colour: below one in shade.</summary>
    internal float Shade { get; set; } = 1;

    /// <summary>A path to collect shapes in; <see cref="Fill(SKColor)"/> and <see cref="Outline"/> draw and empty it.</summary>
    internal SKPath Path => path;

    public void Dispose()
    {
        path.Dispose();
        paint.Dispose();
    }

    internal void On(SKMatrix plane) => canvas.SetMatrix(plane);

    internal void OnImage() => canvas.ResetMatrix();

    internal void Rect(float left, float bottom, float right, float top, SKColor color)
    {
        Use(light.On(color.Scale(Shade), Haze));
        canvas.DrawRect(left, bottom, right - left, top - bottom, paint);
    }

    internal void Oval(float x, float y, float radiusX, float radiusY, SKColor color)
    {
        Use(light.On(color.Scale(Shade), Haze));
        canvas.DrawOval(x, y, radiusX, radiusY, paint);
    }

    internal void Polygon(SKColor color, params ReadOnlySpan<Vector2> corners)
    {
        AddPolygon(corners);
        Fill(color);
    }

    internal void Line(float x0, float y0, float x1, float y1, float width, SKColor color)
    {
        path.MoveTo(x0, y0);
        path.LineTo(x1, y1);
        Outline(width, color);
    }

    internal void AddRect(float left, float bottom, float right, float top) =>
        path.AddRect(new SKRect(left, bottom, right, top));

    internal void AddPolygon(params ReadOnlySpan<Vector2> corners)
    {
        path.MoveTo(corners[0].X, corners[0].Y);
        foreach (var corner in corners[1..])
        {
            path.LineTo(corner.X, corner.Y);
        }

        path.Close();
    }

    /// <summary>Adds a square or round-headed opening to the brush's path.</summary>
    internal void AddOpening(float left, float bottom, float right, float top, bool arched)
    {
        if (!arched)
        {
            AddRect(left, bottom, right, top);
            return;
        }

        var (middle, spring) = ((left + right) / 2, top - 0.35f * (right - left));
        path.MoveTo(left, bottom);
        path.LineTo(left, spring);
        path.QuadTo(left, top, middle, top);
        path.QuadTo(right, top, right, spring);
        path.LineTo(right, bottom);
        path.Close();
    }

    internal void Fill(SKColor color) => FillRaw(light.On(color.Scale(Shade), Haze));

    internal void Outline(float width, SKColor color)
    {
        Use(light.On(color.Scale(Shade), Haze));
        paint.Style = SKPaintStyle.Stroke;
        paint.StrokeWidth = width;
        canvas.DrawPath(path, paint);
        paint.Style = SKPaintStyle.Fill;
        path.Rewind();
    }

    /// <summary>Draws the collected shapes as something that shines by itself.</summary>
    internal void FillGlowing(SKColor color, float strength)
    {
        var unlit = light.On(color.Scale(0.5f), Haze);
        FillRaw(unlit.Towards(color, strength).WithAlpha(color.Alpha));
    }

    /// <summary>Draws the collected shapes in the colour as it is.</summary>
    internal void FillRaw(SKColor color)
    {
        if (!path.IsEmpty)
        {
            Use(color);
            canvas.DrawPath(path, paint);
            path.Rewind();
        }
    }

    /// <summary>Covers the collected shapes with a shader, which this disposes.</summary>
    internal void FillShader(SKShader shader, SKBlendMode mode = SKBlendMode.SrcOver)
    {
        paint.Color = SKColors.Black;
        paint.Shader = shader;
        paint.BlendMode = mode;
        canvas.DrawPath(path, paint);
        path.Rewind();
        paint.Shader = null;
        paint.BlendMode = SKBlendMode.SrcOver;
        shader.Dispose();
    }

    private void Use(SKColor color) => paint.Color = color;
}
