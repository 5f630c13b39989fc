using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>One picture: drawn far to near at twice its size, then seen by the sensor.</summary>
internal sealed class Picture(Street street, View view)
{
    private const float Defocus = 0.012f;   // of the width: about a degree of the view

    private readonly Conditions conditions = Conditions.Of(view);

    internal void Render(SKBitmap bitmap)
    {
        var (width, height) = (bitmap.Width * 2, bitmap.Height * 2);
        // Skia's fast fills exist for the platform's own order of channels only.
        using var scene = new SKBitmap(width, height, SKImageInfo.PlatformColorType, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(scene))
        using (var brush = new Brush(canvas, CameraFor(width, height), conditions.Light))
        {
            Draw(brush, width, height);
        }

        if (view.Challenge == Challenge.Blur)
        {
            using var blurred = Blurred(scene);
            conditions.Sensor.Expose(blurred, bitmap);
            return;
        }

        conditions.Sensor.Expose(scene, bitmap);
    }

    private static SKBitmap Blurred(SKBitmap scene)
    {
        var blurred = new SKBitmap(scene.Info);
        using var canvas = new SKCanvas(blurred);
        using var lens = SKImageFilter.CreateBlur(scene.Width * Defocus, scene.Width * Defocus, SKShaderTileMode.Clamp);
        using var paint = new SKPaint { ImageFilter = lens };
        canvas.DrawBitmap(scene, 0, 0, paint);
        return blurred;
    }

    private Camera CameraFor(int width, int height)
    {
        var (along, left) = street.ToStreet(view.East, view.North);
        var position = new Vector3(along, left, conditions.CameraHeight);
        return new Camera(position, street.ToYaw(view.Heading), conditions.Pitch, conditions.Roll, width, height);
    }

    private void Draw(Brush brush, int width, int height)
    {
        new SkyPainter(brush, conditions, width, height).Paint();
        new GroundPainter(brush, street, conditions, width, height).Paint();
        new LampLightPainter(brush, street).PaintGround();
        var facades = new FacadePainter(brush, street, conditions);
        facades.Paint(street.Left, street.Right);
        facades.Paint(street.Right, street.Left);
        new ScenePainter(brush, street, conditions).Paint();
        new WeatherPainter(brush, conditions, width, height).Paint();
    }
}
