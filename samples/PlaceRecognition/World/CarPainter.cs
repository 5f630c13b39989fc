using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A car: its shadow, the end and the top that face the camera, then its near side.</summary>
internal sealed class CarPainter(Brush brush, Conditions conditions, Car car)
{
    private static readonly SKColor Glass = new(44, 52, 60);
    private static readonly SKColor Rubber = new(26, 26, 28);

    private float Belt => car.Boxy ? 1 : 0.58f * car.Height;

    private float Half => car.Length / 2;

    internal void Paint()
    {
        var near = brush.Camera.Position.Y > car.Y ? Car.HalfWidth : -Car.HalfWidth;
        Shadow();
        Profile(-near, car.Color.Scale(0.45f), false);
        End(near);
        Top();
        Profile(near, car.Color, true);
    }

    private void Shadow()
    {
        brush.On(brush.Camera.Plane(new Vector3(car.X, car.Y, 0), Vector3.UnitX, Vector3.UnitY));
        brush.AddRect(-Half - 0.1f, -Car.HalfWidth - 0.15f, Half + 0.1f, Car.HalfWidth + 0.15f);
        brush.FillRaw(new SKColor(8, 8, 12, 150));
    }

    /// <summary>The side, in metres along the car (nose first) and up.</summary>
    private void Profile(float y, SKColor color, bool detailed)
    {
        var wheel = 0.31f;
        brush.On(brush.Camera.Plane(new Vector3(car.X, car.Y + y, 0), car.Nose * Vector3.UnitX, Vector3.UnitZ));
        AddOutline();
        brush.Fill(color);
        foreach (var x in (ReadOnlySpan<float>)[Half * 0.64f, -Half * 0.62f])
        {
            brush.Oval(x, wheel, wheel, wheel, Rubber);
            brush.Oval(x, wheel, 0.55f * wheel, 0.55f * wheel, new SKColor(150, 152, 156));
        }

        if (detailed)
        {
            SideWindows();
        }
    }

    private void AddOutline()
    {
        if (car.Boxy)
        {
            brush.AddPolygon(
                new(-Half, 0.28f), new(Half, 0.28f), new(Half, 0.95f), new(0.62f * Half, 1.1f),
                new(0.42f * Half, car.Height), new(-Half, car.Height));
        }
        else
        {
            brush.AddPolygon(
                new(-Half, 0.28f), new(Half, 0.28f), new(Half, 0.72f), new(0.5f * Half, Belt + 0.06f),
                new(0.12f * Half, car.Height), new(-0.62f * Half, car.Height), new(-0.95f * Half, Belt), new(-Half, 0.8f));
        }
    }

    private void SideWindows()
    {
        var (low, high) = (Belt + 0.04f, car.Height - 0.09f);
        if (car.Boxy)
        {
            brush.Polygon(Glass, new(0.1f * Half, low), new(0.55f * Half, low), new(0.37f * Half, high), new(0.1f * Half, high));
        }
        else
        {
            brush.Polygon(Glass, new(-0.12f * Half, low), new(0.4f * Half, low), new(0.1f * Half, high), new(-0.12f * Half, high));
            brush.Polygon(Glass, new(-0.8f * Half, low), new(-0.18f * Half, low), new(-0.18f * Half, high), new(-0.58f * Half, high));
        }

        brush.Rect(-Half, 0.62f, -0.94f * Half, 0.78f, new SKColor(170, 30, 30));
        brush.Rect(0.93f * Half, 0.58f, Half, 0.7f, new SKColor(236, 232, 214));
        brush.Rect(-0.92f * Half, 0.46f, 0.92f * Half, 0.5f, car.Color.Scale(0.75f));
    }

    /// <summary>Nose or tail, whichever the camera sees.</summary>
    private void End(float near)
    {
        var toCamera = brush.Camera.Position.X - car.X;
        var end = MathF.Sign(toCamera) * Half;
        if (Math.Abs(toCamera) < Half || near == 0)
        {
            return;
        }

        var isNose = MathF.Sign(toCamera) == car.Nose;
        var low = isNose || car.Boxy ? 0.72f : 0.8f;
        brush.On(brush.Camera.Plane(new Vector3(car.X + end, car.Y, 0), Vector3.UnitY, Vector3.UnitZ));
        brush.Rect(-Car.HalfWidth, 0.28f, Car.HalfWidth, car.Boxy && !isNose ? car.Height : low, car.Color.Scale(0.8f));
        Lamps(isNose);
        Screen(end, isNose);
    }

    private void Lamps(bool isNose)
    {
        brush.AddRect(-0.8f, 0.55f, -0.5f, 0.7f);
        brush.AddRect(0.5f, 0.55f, 0.8f, 0.7f);
        if (isNose)
        {
            brush.FillGlowing(new SKColor(255, 246, 220), 0.5f + 0.5f * conditions.Light.Glow);
        }
        else
        {
            brush.FillGlowing(new SKColor(220, 30, 30), 0.3f + 0.6f * conditions.Light.Glow);
        }
    }

    /// <summary>The slanting bonnet or boot and the screen behind it, in the same outline as the side's.</summary>
    private void Screen(float end, bool isNose)
    {
        var inwards = -MathF.Sign(end);
        var (foot, crown) = isNose ? (0.5f, 0.12f) : (0.95f, 0.62f);
        if (car.Boxy)
        {
            (foot, crown) = isNose ? (0.62f, 0.42f) : (1, 1);
        }

        var (low, belt) = (isNose ? 0.72f : 0.8f, car.Boxy ? 1.1f : Belt);
        Slant(end, 0, inwards * (1 - foot) * Half, low, belt, car.Color.Scale(1.1f));
        Slant(end, inwards * (1 - foot) * Half, inwards * (1 - crown) * Half, belt, car.Height, Glass);
    }

    private void Slant(float end, float from, float to, float low, float high, SKColor color)
    {
        var foot = new Vector3(car.X + end + from, car.Y, low);
        brush.On(brush.Camera.Plane(foot, Vector3.UnitY, new Vector3(to - from, 0, high - low)));
        brush.Rect(-Car.HalfWidth, 0, Car.HalfWidth, 1, color);
    }

    private void Top()
    {
        if (brush.Camera.Position.Z > car.Height)
        {
            brush.On(brush.Camera.Plane(new Vector3(car.X, car.Y, car.Height), car.Nose * Vector3.UnitX, Vector3.UnitY));
            var top = conditions.Weather == Weather.Snow ? new SKColor(240, 243, 248) : car.Color.Scale(1.15f);
            brush.Rect(-0.62f * Half, -Car.HalfWidth, 0.12f * Half, Car.HalfWidth, top);
        }
    }
}
