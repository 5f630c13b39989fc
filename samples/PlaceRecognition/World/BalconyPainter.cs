using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A balcony: its underside, and its front plane with slab and railing.</summary>
internal sealed class BalconyPainter(Brush brush)
{
    private const float Depth = 0.8f;

    /// <summary>Draws the balcony of a window, if that window has one.</summary>
    internal void Paint(Facade facade, Building house, int window, float left, float right, float floor)
    {
        if (house.Unit(window, 3) >= house.Balconies)
        {
            return;
        }

        (left, right) = (left - 0.35f, right + 0.35f);
        brush.On(brush.Camera.Plane(facade.At(0, floor, 0), facade.Along, facade.Out));
        brush.Rect(left, 0, right, Depth, house.Trim.Scale(0.5f));
        brush.On(facade.Plane(brush.Camera, Depth));
        Railing(house, left, right, floor);
        brush.On(facade.Plane(brush.Camera));
    }

    private void Railing(Building house, float left, float right, float floor)
    {
        var color = house.Shutters ?? new SKColor(48, 50, 54);
        brush.Rect(left, floor - 0.15f, right, floor, house.Trim);
        if (house.Unit(31) < 0.35f)
        {
            brush.Rect(left, floor, right, floor + 0.95f, color);
            return;
        }

        for (var s = left; s < right; s += 0.22f)
        {
            brush.AddRect(s, floor, s + 0.06f, floor + 0.95f);
        }

        brush.AddRect(left, floor + 0.9f, right, floor + 1);
        brush.Fill(color);
    }
}
