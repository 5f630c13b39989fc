using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Striped awnings over shops, and signs that stand out from the wall.</summary>
internal static class AwningPainter
{
    internal static void Paint(Brush brush, Facade facade, Bay bay, bool snow)
    {
        var fate = StableSeed.Unit(bay.Seed, 51);
        if (fate < 0.4f)
        {
            Awning(brush, facade, bay, snow);
        }
        else if (fate < 0.7f)
        {
            Blade(brush, facade, bay);
        }
    }

    private static void Awning(Brush brush, Facade facade, Bay bay, bool snow)
    {
        const float Rise = 1.4f;
        var (left, right) = (bay.Start + 0.1f, bay.Start + bay.Width - 0.1f);
        var drop = -0.35f - 0.2f * StableSeed.Unit(bay.Seed, 52);
        var light = snow ? new SKColor(240, 243, 248) : new SKColor(238, 232, 218);
        var stripe = 0.25f + 0.3f * StableSeed.Unit(bay.Seed, 53);
        brush.On(facade.Leaning(brush.Camera, 2.75f, 0, new Vector2(0.8f, drop)));
        brush.Rect(left, 0, right, Rise, light);
        Stripes(brush, left, right, 0, Rise, stripe);
        brush.Fill(bay.Accent);
        var (edge, outwards) = (2.75f + Rise * drop, 0.8f * Rise);
        brush.On(facade.Plane(brush.Camera, outwards));
        brush.Rect(left, edge - 0.28f, right, edge, light.Scale(0.9f));
        Stripes(brush, left, right, edge - 0.28f, edge, stripe);
        brush.Fill(bay.Accent.Scale(0.85f));
        brush.On(facade.Plane(brush.Camera));
    }

    private static void Stripes(Brush brush, float left, float right, float low, float high, float stripe)
    {
        for (var s = left; s < right; s += 2 * stripe)
        {
            brush.AddRect(s, low, Math.Min(s + stripe, right), high);
        }
    }

    private static void Blade(Brush brush, Facade facade, Bay bay)
    {
        var s = bay.Start + bay.Width * (0.2f + 0.6f * StableSeed.Unit(bay.Seed, 54));
        var (low, size) = (3 + StableSeed.Unit(bay.Seed, 55), 0.7f + 0.5f * StableSeed.Unit(bay.Seed, 56));
        brush.On(facade.Square(brush.Camera, s));
        brush.Rect(0, low + size - 0.1f, 0.25f + size, low + size - 0.03f, new SKColor(40, 40, 44));
        brush.Rect(0.2f, low, 0.2f + size, low + size, bay.Accent);
        SignPainter.Glyph(brush, (int)(9 * StableSeed.Unit(bay.Seed, 57)), 0.2f + 0.2f * size, low + 0.2f * size, 0.6f * size);
        brush.Fill(SignPainter.Ink(bay.Accent));
        brush.On(facade.Plane(brush.Camera));
    }
}
