using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Road, pavements, their marks and the shadows on them, in the metres of the ground plane.</summary>
internal sealed class GroundPainter(Brush brush, Street street, Conditions conditions, int width, int height)
{
    private const float Reach = 60;

    private float Near => brush.Camera.Position.X - Reach;

    private float Far => brush.Camera.Position.X + Reach;

    internal void Paint()
    {
        var snow = conditions.Weather == Weather.Snow;
        brush.On(brush.Camera.Plane(Vector3.Zero, Vector3.UnitX, Vector3.UnitY));
        var asphalt = (conditions.Weather == Weather.Rain ? new SKColor(62, 64, 68) : new SKColor(92, 92, 94))
            .Scale(0.9f + 0.25f * StableSeed.Unit(street.Seed, 5));
        var pavement = snow ? new SKColor(232, 235, 240) : street.Style.Pavement;
        var distance = street.Left.Distance;
        brush.Rect(Near, -distance - 40, Far, distance + 40, snow ? pavement : new SKColor(128, 124, 108));
        brush.Rect(Near, -distance, Far, distance, pavement);
        brush.Rect(Near, -street.RoadHalfWidth, Far, street.RoadHalfWidth, snow ? new SKColor(188, 192, 198) : asphalt);
        Slabs(distance);
        Kerbs();
        Marks(asphalt, snow);
        Lanes(snow);
        CastShadows();
        Reflections();
        Mist();
    }

    private void Slabs(float distance)
    {
        var step = 1 + StableSeed.Unit(street.Seed, 6);
        foreach (var side in (ReadOnlySpan<int>)[1, -1])
        {
            for (var x = step * MathF.Floor(Near / step); x < Far; x += step)
            {
                if (Math.Abs(x - brush.Camera.Position.X) < 25)
                {
                    brush.AddRect(x, side * street.RoadHalfWidth, x + 0.05f, side * distance);
                }
            }
        }

        brush.Fill(street.Style.Pavement.Scale(0.84f));
    }

    private void Kerbs()
    {
        foreach (var side in (ReadOnlySpan<int>)[1, -1])
        {
            var kerb = side * street.RoadHalfWidth;
            brush.Rect(Near, kerb, Far, kerb + side * 0.18f, street.Style.Pavement.Scale(1.15f));
            brush.Rect(Near, kerb - side * 0.14f, Far, kerb, street.Style.Pavement.Scale(0.55f));
        }
    }

    private void Marks(SKColor asphalt, bool snow)
    {
        foreach (var mark in street.Marks)
        {
            if (mark.X + mark.Length < Near + 20 || mark.X > Far - 20 || (snow && mark.Kind != 0))
            {
                continue;
            }

            switch (mark.Kind)
            {
                case 0:
                    brush.Oval(mark.X, mark.Y, 0.4f, 0.4f, asphalt.Scale(0.55f));
                    break;
                case 2:
                    Zebra(mark.X);
                    break;
                case 3:
                    brush.Rect(mark.X, street.RoadHalfWidth - 0.5f, mark.X + 0.6f, street.RoadHalfWidth - 0.15f, asphalt.Scale(0.4f));
                    break;
                default:
                    brush.Rect(mark.X, mark.Y, mark.X + mark.Length, mark.Y + mark.Width, asphalt.Scale(0.8f));
                    break;
            }
        }
    }

    private void Zebra(float x)
    {
        for (var y = -street.RoadHalfWidth + 0.5f; y < street.RoadHalfWidth - 0.5f; y += 1)
        {
            brush.AddRect(x, y, x + 3, y + 0.5f);
        }

        brush.Fill(new SKColor(222, 222, 218));
    }

    private void Lanes(bool snow)
    {
        if (snow || street.LaneMarks == 0)
        {
            return;
        }

        var (dash, step) = street.LaneMarks == 1 ? (3f, 6f) : (1.5f, 3f);
        for (var x = step * MathF.Floor((Near + 20) / step); x < Far - 20; x += step)
        {
            brush.AddRect(x, -0.07f, x + dash, 0.07f);
        }

        brush.Fill(new SKColor(220, 220, 214));
    }

    private void CastShadows()
    {
        var light = conditions.Light;
        if (light.SunSide == 0)
        {
            return;
        }

        // The sun stands behind the façades of the unlit side, whose lots shade the ground.
        var caster = light.SunSide > 0 ? street.Right : street.Left;
        foreach (var lot in caster.Row)
        {
            var reach = lot.Height / light.SunSlope;
            var (a, b) = (caster.At(lot.Start, 0, 0), caster.At(lot.End, 0, 0));
            if (Math.Max(a.X, b.X) > Near && Math.Min(a.X, b.X) < Far)
            {
                var across = -caster.Side * Math.Min(reach, 2 * caster.Distance);
                var shift = Math.Abs(across) * light.SunDrift;
                brush.AddPolygon(
                    new(a.X, a.Y), new(b.X, b.Y), new(b.X + shift, b.Y + across), new(a.X + shift, a.Y + across));
            }
        }

        brush.FillRaw(new SKColor(15, 20, 45, 105));
    }

    private void Reflections()
    {
        if (conditions.Weather == Weather.Rain)
        {
            var dice = new Dice(StableSeed.Of(conditions.Seed, 32));
            for (var puddle = 0; puddle < 14; puddle++)
            {
                var (x, y) = (brush.Camera.Position.X + dice.Range(-15, 15), dice.Range(-1, 1) * street.RoadHalfWidth);
                var (length, breadth) = (dice.Range(0.5f, 2.5f), dice.Range(0.2f, 0.6f));
                brush.Path.AddOval(new SKRect(x - length, y - breadth, x + length, y + breadth));
                brush.FillRaw(conditions.Light.SkyLow.WithAlpha(70));
            }
        }
    }

    private void Mist()
    {
        if (conditions.Light.HazeDistance > 100)
        {
            return;
        }

        ReadOnlySpan<float> distances = [60, 25, 12, 7, 4, 2.2f];
        var span = brush.Camera.GroundRow(distances[^1]);
        var colors = new SKColor[distances.Length];
        var stops = new float[distances.Length];
        for (var i = 0; i < distances.Length; i++)
        {
            colors[i] = conditions.Light.SkyLow.WithAlpha((byte)(255 * conditions.Light.HazeAt(distances[i])));
            stops[i] = brush.Camera.GroundRow(distances[i]) / span;
        }

        var horizon = brush.Camera.Horizon;
        brush.OnImage();
        brush.AddRect(0, horizon, width, height);
        brush.FillShader(SKShader.CreateLinearGradient(
            new SKPoint(0, horizon), new SKPoint(0, horizon + span), colors, stops, SKShaderTileMode.Clamp));
    }
}
