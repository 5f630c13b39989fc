using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A tree, whose shape is permanent and whose leaves follow the season.</summary>
internal static class TreePainter
{
    private static readonly SKColor Bark = new(82, 66, 52);
    private static readonly SKColor[] Autumn = [new(190, 130, 40), new(170, 84, 36), new(196, 164, 56)];

    internal static void Paint(Brush brush, Conditions conditions, int seed)
    {
        var trunk = 2 + 1.2f * StableSeed.Unit(seed, 1);
        var (rx, ry) = (1.1f + 1.3f * StableSeed.Unit(seed, 2), 1.4f + 1.6f * StableSeed.Unit(seed, 3));
        var thick = 0.1f + 0.12f * StableSeed.Unit(seed, 4);
        brush.Polygon(Bark, new(-thick, 0), new(thick, 0), new(thick * 0.7f, trunk + 0.6f), new(-thick * 0.7f, trunk + 0.6f));
        Branches(brush, seed, trunk, rx, ry, thick);
        if (conditions.Season != Season.Bare)
        {
            Crown(brush, LeafColor(conditions, seed), seed, trunk, rx, ry);
        }
    }

    private static SKColor LeafColor(Conditions conditions, int seed)
    {
        var green = new SKColor(70, 108, 52).Towards(new SKColor(104, 128, 60), StableSeed.Unit(seed, 5));
        var turned = Autumn[(int)(Autumn.Length * StableSeed.Unit(seed, 6))];
        return conditions.Season == Season.Autumn ? turned : green;
    }

    private static void Branches(Brush brush, int seed, float trunk, float rx, float ry, float thick)
    {
        for (var i = 0; i < 9; i++)
        {
            var angle = MathF.PI * (0.12f + 0.76f * (i + StableSeed.Unit(seed, 7, i)) / 9);
            var (dz, dx) = MathF.SinCos(angle);
            var (x, z) = (dx * rx * 0.9f, trunk + ry * 0.6f + dz * ry * 1.1f);
            brush.Path.MoveTo(0, trunk - 0.2f + 0.1f * i);
            brush.Path.LineTo(x * 0.5f, trunk + 0.5f * (z - trunk));
            brush.Path.LineTo(x, z);
            brush.Path.MoveTo(x * 0.5f, trunk + 0.5f * (z - trunk));
            brush.Path.LineTo(x * 0.3f, z * 0.98f);
        }

        brush.Outline(thick * 0.5f, Bark);
    }

    /// <summary>Blobs from dark, low and wide to light, high and left.</summary>
    private static void Crown(Brush brush, SKColor color, int seed, float trunk, float rx, float ry)
    {
        for (var layer = 0; layer < 3; layer++)
        {
            brush.Path.AddOval(new SKRect(-0.5f * rx, trunk + 0.6f * ry, 0.4f * rx, trunk + 1.5f * ry));
            for (var i = 0; i < 8; i++)
            {
                var n = 8 * layer + i;
                var (sin, cos) = MathF.SinCos(2 * MathF.PI * (i + StableSeed.Unit(seed, 8, n)) / 8);
                var spread = 0.62f * (1 - 0.2f * layer);
                var (x, z) = (cos * rx * spread - 0.1f * layer, trunk + ry + sin * ry * spread + 0.18f * layer);
                var radius = (0.5f - 0.1f * layer) * (0.7f + 0.5f * StableSeed.Unit(seed, 9, n));
                brush.Path.AddOval(new SKRect(x - radius * rx, z - radius * ry, x + radius * rx, z + radius * ry));
            }

            brush.Fill(color.Scale(0.75f + 0.2f * layer));
        }
    }
}
