using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A gap between houses: what stands behind it, and the wall, fence or alley in it.</summary>
internal sealed class GapPainter(Brush brush, Conditions conditions)
{
    private const float Depth = 14;

    private static readonly SKColor Leaves = new(78, 112, 62);

    /// <summary>A house and bushes that stand back from the street, seen through the gap.</summary>
    internal void PaintBehind(Facade facade, Building lot)
    {
        brush.On(facade.Plane(brush.Camera, -Depth));
        var height = 5 + 5 * lot.Unit(1);
        var (left, right) = (lot.Start - 12, lot.End + 12);
        brush.Rect(left, 0, right, height, lot.Wall.Scale(0.9f));
        var tip = left + (right - left) * (0.3f + 0.4f * lot.Unit(2));
        brush.Polygon(lot.RoofColor, new(left, height), new(right, height), new(tip, height + 3));
        for (var s = left + 1 + lot.Unit(3); s < right - 1; s += 2.6f)
        {
            for (var z = 1.2f; z < height - 1; z += 2.9f)
            {
                brush.AddRect(s, z, s + 1, z + 1.3f);
            }
        }

        brush.Fill(new SKColor(70, 78, 86));
        if (lot.Lot != LotKind.Alley)
        {
            Bushes(facade, lot);
        }
    }

    internal void PaintFront(Facade facade, Building lot)
    {
        switch (lot.Lot)
        {
            case LotKind.Wall:
                Wall(facade, lot);
                break;
            case LotKind.Fence:
                Fence(facade, lot);
                break;
            default:
                Alley(facade, lot);
                break;
        }
    }

    private void Bushes(Facade facade, Building lot)
    {
        if (conditions.Season == Season.Bare)
        {
            return;
        }

        brush.On(facade.Plane(brush.Camera, -3));
        for (var i = 0; i < 7; i++)
        {
            var (s, z) = (lot.Start + lot.Width * lot.Unit(i, 4), 0.6f + 2.2f * lot.Unit(i, 5));
            brush.Oval(s, z, 1.1f, 0.9f, Leaves.Scale(0.7f + 0.5f * lot.Unit(i, 6)));
        }
    }

    private void Wall(Facade facade, Building lot)
    {
        brush.On(facade.Plane(brush.Camera));
        brush.Rect(lot.Start, 0, lot.End, lot.Height, lot.Wall);
        for (var z = 0.3f; z < lot.Height; z += 0.3f)
        {
            brush.AddRect(lot.Start, z, lot.End, z + 0.03f);
        }

        brush.Fill(lot.Wall.Scale(0.8f));
        brush.Rect(lot.Start, lot.Height, lot.End, lot.Height + 0.15f, SnowOr(lot.Trim));
        Gate(lot, lot.Start + 0.5f + (lot.Width - 3) * lot.Unit(7));
        SignPainter.Mural(brush, lot);
    }

    private void Gate(Building lot, float left)
    {
        var color = Palette.Doors[(int)(lot.Unit(8) * Palette.Doors.Length)];
        brush.Rect(left - 0.2f, 0, left + 2.2f, 2.5f, lot.Trim.Scale(0.9f));
        brush.Rect(left, 0, left + 2, 2.2f, color);
        for (var s = 0.25f; s < 2; s += 0.25f)
        {
            brush.AddRect(left + s, 0, left + s + 0.04f, 2.2f);
        }

        brush.Fill(color.Scale(0.7f));
    }

    private void Fence(Facade facade, Building lot)
    {
        var color = Palette.Shutters[(int)(lot.Unit(8) * Palette.Shutters.Length)].Scale(0.8f);
        brush.On(facade.Plane(brush.Camera));
        brush.Rect(lot.Start, 0, lot.End, 0.5f, lot.Wall);
        var step = 0.18f + 0.2f * lot.Unit(9);
        for (var s = lot.Start; s < lot.End; s += step)
        {
            brush.AddRect(s, 0.4f, s + step * (0.25f + 0.4f * lot.Unit(10)), 1.7f);
        }

        brush.AddRect(lot.Start, 0.6f, lot.End, 0.7f);
        brush.AddRect(lot.Start, 1.45f, lot.End, 1.55f);
        for (var s = lot.Start; s < lot.End; s += 2.4f)
        {
            brush.AddRect(s, 0, s + 0.3f, 1.9f);
        }

        brush.Fill(color);
    }

    private void Alley(Facade facade, Building lot)
    {
        brush.On(brush.Camera.Plane(facade.At(0, 0.01f, 0), facade.Along, facade.Out));
        brush.Polygon(
            new SKColor(104, 100, 96),
            new(lot.Start, 0), new(lot.End, 0), new(lot.End, -Depth), new(lot.Start, -Depth));
        if (lot.Unit(11) < 0.5f)
        {
            brush.On(facade.Plane(brush.Camera));
            var color = lot.Trim.Scale(0.95f);
            brush.Rect(lot.Start, 3.2f, lot.End, 4.2f, color);
            brush.Rect(lot.Start, 4.2f, lot.End, 4.35f, SnowOr(color.Scale(0.7f)));
        }
    }

    private SKColor SnowOr(SKColor color) => conditions.Weather == Weather.Snow ? new SKColor(240, 243, 248) : color;
}
