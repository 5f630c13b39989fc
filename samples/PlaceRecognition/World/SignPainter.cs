using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Pseudo-letters made of bars, rings and triangles: the world has signs, but no fonts.</summary>
internal static class SignPainter
{
    private const int Glyphs = 9;

    /// <summary>A colour that can be read on the other.</summary>
    internal static SKColor Ink(SKColor ground) =>
        ground.Red + ground.Green + ground.Blue > 400 ? new SKColor(36, 38, 44) : new SKColor(244, 240, 226);

    /// <summary>The name of a shop, above its window.</summary>
    internal static void Fascia(Brush brush, Bay bay, float left, float right, float low, float high)
    {
        brush.Rect(left, low, right, high, bay.Color);
        var size = 0.62f * (high - low);
        var margin = (high - low - size) / 2;
        var count = Math.Min(3 + (int)(6 * Unit(bay, 61)), (int)((right - left - 0.3f) / (1.2f * size)));
        var at = left + (right - left - count * 1.2f * size) * Unit(bay, 62);
        for (var i = 0; i < count; i++)
        {
            Glyph(brush, (int)(Glyphs * Unit(bay, 63, i)), at + i * 1.2f * size, low + margin, size);
        }

        brush.Fill(Ink(bay.Color));
        if (Unit(bay, 64) < 0.5f)
        {
            brush.Rect(left, low, right, low + 0.07f, bay.Accent);
        }
    }

    /// <summary>What hangs on a bare piece of wall: nothing, a poster, a meter box, a painted mark.</summary>
    internal static void Blank(Brush brush, Bay bay)
    {
        var (s, width) = (bay.Start + 0.15f, Math.Min(bay.Width - 0.3f, 1.1f));
        switch ((int)(5 * Unit(bay, 65)))
        {
            case 0:
                brush.Rect(s, 0.9f, s + width, 0.9f + 1.4f * width, bay.Accent);
                Glyph(brush, (int)(Glyphs * Unit(bay, 66)), s + 0.2f * width, 1.3f, 0.6f * width);
                brush.Fill(Ink(bay.Accent));
                break;
            case 1:
                brush.Rect(s, 0.5f, s + 0.5f, 1.2f, new SKColor(176, 176, 170));
                brush.Rect(s + 0.08f, 0.6f, s + 0.42f, 0.75f, new SKColor(90, 92, 92));
                break;
            case 2:
                Scrawl(brush, bay, s, width);
                break;
            case 3:
                brush.Rect(s, 1.6f, s + 0.35f, 1.95f, bay.Accent);
                break;
        }
    }

    /// <summary>Painted shapes on a garden wall.</summary>
    internal static void Mural(Brush brush, Building lot)
    {
        for (var i = 0; lot.Unit(71) < 0.5f && i < 4; i++)
        {
            var (s, size) = (lot.Start + lot.Width * lot.Unit(72, i), 0.5f + 0.6f * lot.Unit(73, i));
            Glyph(brush, (int)(Glyphs * lot.Unit(74, i)), Math.Min(s, lot.End - size), 0.5f, size);
            brush.Fill(Palette.Vivid[(int)(Palette.Vivid.Length * lot.Unit(75, i))]);
        }
    }

    /// <summary>Adds one pseudo-letter, in a square, to the brush's path.</summary>
    internal static void Glyph(Brush brush, int kind, float x, float z, float size)
    {
        var (bar, right, top) = (0.24f * size, x + size, z + size);
        var (midX, midZ) = (x + size / 2, z + size / 2);
        switch (kind)
        {
            case 0:
                brush.AddRect(x, z, x + bar, top);
                brush.AddRect(x + bar, z, right, z + bar);
                break;
            case 1:
                brush.AddRect(midX - bar / 2, z, midX + bar / 2, top - bar);
                brush.AddRect(x, top - bar, right, top);
                break;
            case 2:
                brush.Path.AddOval(new SKRect(x, z, right, top));
                brush.Path.AddOval(new SKRect(x + bar, z + bar, right - bar, top - bar), SKPathDirection.CounterClockwise);
                break;
            case 3:
                brush.AddPolygon(new(x, z), new(right, z), new(midX, top));
                break;
            case 4:
                brush.AddRect(x, z, x + bar, top);
                brush.AddRect(right - bar, z, right, top);
                brush.AddRect(x + bar, midZ - bar / 2, right - bar, midZ + bar / 2);
                break;
            case 5:
                brush.Path.AddOval(new SKRect(x, z, right, top));
                break;
            case 6:
                brush.AddRect(x, z, right, z + bar);
                brush.AddRect(x, midZ - bar / 2, right - bar, midZ + bar / 2);
                brush.AddRect(x, top - bar, right, top);
                break;
            case 7:
                brush.AddPolygon(new(x, z), new(x + bar, z), new(right, top), new(right - bar, top));
                brush.AddPolygon(new(x, midZ), new(x + bar, midZ), new(x + bar, top), new(x, top));
                break;
            default:
                brush.AddPolygon(new(midX, z), new(right, midZ), new(midX, top), new(x, midZ));
                break;
        }
    }

    private static float Unit(Bay bay, int a, int b = 0) => StableSeed.Unit(bay.Seed, a, b);

    private static void Scrawl(Brush brush, Bay bay, float s, float width)
    {
        brush.Path.MoveTo(s, 0.8f + Unit(bay, 67));
        for (var i = 1; i <= 6; i++)
        {
            brush.Path.LineTo(s + width * i / 6, 0.6f + 1.2f * Unit(bay, 67, i));
        }

        brush.Outline(0.09f, bay.Accent);
    }
}
