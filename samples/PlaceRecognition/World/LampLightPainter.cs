using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>The light that street lamps throw on walls and ground after dark.</summary>
internal sealed class LampLightPainter(Brush brush, Street street)
{
    private static readonly SKColor Warm = new(178, 158, 118);

    internal void PaintWall(Facade facade, float from, float to)
    {
        brush.On(facade.Plane(brush.Camera, 0.05f));
        foreach (var lamp in Lamps())
        {
            var s = facade.ToAlong(lamp.X);
            if (lamp.Y * facade.Side > 0 && s > from - 6 && s < to + 6)
            {
                brush.AddRect(s - 7, 0, s + 7, 11);
                Shine(new SKPoint(s, 3.6f), 7);
            }
        }
    }

    internal void PaintGround()
    {
        brush.On(brush.Camera.Plane(Vector3.Zero, Vector3.UnitX, Vector3.UnitY));
        foreach (var lamp in Lamps())
        {
            if (Math.Abs(lamp.X - brush.Camera.Position.X) < 40)
            {
                brush.Path.AddOval(new SKRect(lamp.X - 6, lamp.Y - 6, lamp.X + 6, lamp.Y + 6));
                Shine(new SKPoint(lamp.X, lamp.Y), 6);
            }
        }
    }

    private IEnumerable<Fixture> Lamps() => brush.Light.Glow > 0.3f
        ? street.Fixtures.Where(fixture => fixture.Kind == FixtureKind.Lamp)
        : [];

    // Dodging multiplies what is there, so that the light shows the wall's own colours.
    private void Shine(SKPoint centre, float radius) => brush.FillShader(
        SKShader.CreateRadialGradient(
            centre, radius, [Warm.Scale(brush.Light.Glow), SKColors.Black], SKShaderTileMode.Clamp),
        SKBlendMode.ColorDodge);
}
