using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A shop front: window, goods, door, name and awning.</summary>
internal sealed class ShopPainter(Brush brush, Conditions conditions)
{
    private static readonly SKColor Glass = new(58, 68, 78);
    private static readonly SKColor Lamp = new(255, 222, 160);

    internal void Paint(Facade facade, Building house, Bay bay)
    {
        var (left, right) = (bay.Start + 0.12f, bay.Start + bay.Width - 0.12f);
        var (riser, top) = (0.25f + 0.5f * Unit(bay, 1), 2.5f + 0.25f * Unit(bay, 2));
        brush.Rect(left, 0, right, top + 0.12f, bay.Color.Scale(0.75f));
        brush.AddRect(left + 0.12f, riser, right - 0.12f, top);
        if (Unit(bay, 3) < 0.7f)
        {
            brush.FillGlowing(Lamp, 0.25f + 0.6f * conditions.Light.Glow);
        }
        else
        {
            brush.Fill(Glass);
        }

        Goods(bay, left + 0.2f, right - 0.2f, riser);
        var bars = 1 + (int)(3 * Unit(bay, 4));
        for (var i = 1; i < bars; i++)
        {
            var s = left + (right - left) * i / bars;
            brush.AddRect(s - 0.04f, riser, s + 0.04f, top);
        }

        brush.Fill(bay.Color.Scale(0.6f));
        ShopDoor(bay, left, right, top);
        SignPainter.Fascia(brush, bay, left, right, top + 0.1f, Math.Min(house.GroundHeight - 0.1f, top + 0.85f));
        AwningPainter.Paint(brush, facade, bay, conditions.Weather == Weather.Snow);
    }

    private static float Unit(Bay bay, int a, int b = 0) => StableSeed.Unit(bay.Seed, a, b);

    private void ShopDoor(Bay bay, float left, float right, float top)
    {
        if (bay.Width > 3.6f)
        {
            var s = Unit(bay, 5) < 0.5f ? left + 0.15f : right - 1.1f;
            brush.Rect(s, 0.05f, s + 0.95f, top - 0.15f, bay.Color.Scale(0.55f));
            brush.Rect(s + 0.13f, 0.5f, s + 0.82f, top - 0.3f, Glass.Scale(1.2f));
        }
    }

    /// <summary>What lies in the shop window; it is part of the place.</summary>
    private void Goods(Bay bay, float left, float right, float riser)
    {
        for (var i = 0; i < 6; i++)
        {
            var s = left + (right - left) * (i + 0.5f) / 6;
            var size = 0.15f + 0.3f * Unit(bay, i, 6);
            var color = Palette.Vivid[(int)(Unit(bay, i, 7) * Palette.Vivid.Length)].Scale(0.8f);
            var z = riser + 0.1f + (Unit(bay, i, 8) < 0.4f ? 0.9f : 0);
            if (Unit(bay, i, 9) < 0.5f)
            {
                brush.Rect(s - size / 2, z, s + size / 2, z + 1.6f * size, color);
            }
            else
            {
                brush.Oval(s, z + size / 2, size / 2, size / 2, color);
            }
        }
    }
}
