using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Trees and street furniture, as upright planes that face the camera.</summary>
internal sealed class FixturePainter(Brush brush, Conditions conditions)
{
    private static readonly SKColor Iron = new(58, 62, 64);

    internal void Paint(Fixture fixture)
    {
        brush.On(brush.Camera.Billboard(new Vector3(fixture.X, fixture.Y, 0)));
        switch (fixture.Kind)
        {
            case FixtureKind.Tree:
                TreePainter.Paint(brush, conditions, fixture.Seed);
                break;
            case FixtureKind.Lamp:
                Lamp(fixture);
                break;
            case FixtureKind.Bollard:
                brush.Rect(-0.08f, 0, 0.08f, 0.95f, fixture.Color);
                brush.Rect(-0.08f, 0.7f, 0.08f, 0.8f, SignPainter.Ink(fixture.Color));
                break;
            case FixtureKind.PostBox:
                brush.Rect(-0.07f, 0, 0.07f, 0.7f, Iron);
                brush.Rect(-0.28f, 0.6f, 0.28f, 1.4f, fixture.Color);
                brush.Rect(-0.2f, 1.15f, 0.2f, 1.22f, Iron);
                break;
            case FixtureKind.Hydrant:
                brush.Rect(-0.13f, 0, 0.13f, 0.7f, fixture.Color);
                brush.Oval(0, 0.7f, 0.14f, 0.14f, fixture.Color);
                brush.Rect(-0.24f, 0.42f, 0.24f, 0.55f, fixture.Color.Scale(0.8f));
                break;
            case FixtureKind.TrafficSign:
                Sign(fixture);
                break;
            case FixtureKind.Bench:
                brush.Rect(-0.8f, 0.4f, 0.8f, 0.5f, new SKColor(120, 84, 50));
                brush.Rect(-0.8f, 0.6f, 0.8f, 0.9f, new SKColor(130, 92, 56));
                brush.Rect(-0.7f, 0, -0.6f, 0.9f, Iron);
                brush.Rect(0.6f, 0, 0.7f, 0.9f, Iron);
                break;
            default:
                brush.Rect(-0.45f, 0, 0.45f, 1.2f, fixture.Color);
                brush.Rect(-0.02f, 0.1f, 0.02f, 1.1f, fixture.Color.Scale(0.6f));
                break;
        }
    }

    private void Lamp(Fixture fixture)
    {
        var height = 4.2f + 2 * StableSeed.Unit(fixture.Seed, 1);
        var globe = StableSeed.Unit(fixture.Seed, 2) < 0.5f;
        brush.Rect(-0.12f, 0, 0.12f, 0.8f, Iron);
        brush.Rect(-0.06f, 0, 0.06f, height, Iron);
        if (globe)
        {
            brush.Path.AddOval(new SKRect(-0.25f, height - 0.1f, 0.25f, height + 0.4f));
        }
        else
        {
            brush.AddPolygon(new(-0.15f, height), new(0.15f, height), new(0.28f, height + 0.55f), new(-0.28f, height + 0.55f));
        }

        brush.FillGlowing(new SKColor(255, 236, 190), 0.5f + 0.5f * conditions.Light.Glow);
        Halo(new SKPoint(0, height + 0.2f), 3.2f);
    }

    private void Halo(SKPoint centre, float radius)
    {
        if (conditions.Light.Glow < 0.3f)
        {
            return;
        }

        brush.Path.AddOval(new SKRect(centre.X - radius, centre.Y - radius, centre.X + radius, centre.Y + radius));
        brush.FillShader(
            SKShader.CreateRadialGradient(
                centre,
                radius,
                [new SKColor(255, 220, 150, (byte)(190 * conditions.Light.Glow)), new SKColor(255, 200, 120, 0)],
                SKShaderTileMode.Clamp),
            SKBlendMode.Screen);
    }

    private void Sign(Fixture fixture)
    {
        const float Height = 2.3f;
        brush.Rect(-0.04f, 0, 0.04f, Height, new SKColor(150, 152, 154));
        switch ((int)(4 * StableSeed.Unit(fixture.Seed, 3)))
        {
            case 0:
                brush.Oval(0, Height, 0.35f, 0.35f, new SKColor(200, 30, 36));
                brush.Oval(0, Height, 0.24f, 0.24f, SKColors.White);
                break;
            case 1:
                brush.Polygon(new SKColor(200, 30, 36), new(-0.42f, Height - 0.3f), new(0.42f, Height - 0.3f), new(0, Height + 0.42f));
                brush.Polygon(SKColors.White, new(-0.24f, Height - 0.2f), new(0.24f, Height - 0.2f), new(0, Height + 0.22f));
                return;
            case 2:
                brush.Rect(-0.35f, Height - 0.35f, 0.35f, Height + 0.35f, new SKColor(30, 80, 170));
                break;
            default:
                brush.Oval(0, Height, 0.35f, 0.35f, new SKColor(30, 80, 170));
                break;
        }

        SignPainter.Glyph(brush, (int)(9 * StableSeed.Unit(fixture.Seed, 4)), -0.13f, Height - 0.13f, 0.26f);
        brush.Fill(StableSeed.Unit(fixture.Seed, 3) < 0.25f ? new SKColor(30, 30, 34) : SKColors.White);
    }
}
