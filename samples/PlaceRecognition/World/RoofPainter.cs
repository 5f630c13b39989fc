using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Roofs, chimneys and eaves above a house's wall.</summary>
internal sealed class RoofPainter(Brush brush, Conditions conditions)
{
    private static readonly SKColor Snow = new(240, 243, 248);

    internal void Paint(Facade facade, Building house)
    {
        Chimneys(facade, house);
        var color = conditions.Weather == Weather.Snow ? Snow : house.RoofColor;
        switch (house.Roof)
        {
            case RoofKind.Pitched:
                Slope(facade, house, color, new(-1, 0.9f), 5, 0);
                break;
            case RoofKind.Mansard:
                Slope(facade, house, color, new(-0.4f, 1), 2.6f, 0.5f);
                Dormers(facade, house);
                break;
            case RoofKind.Gable:
                Gable(facade, house);
                break;
            case RoofKind.StepGable:
                Steps(facade, house);
                break;
        }
    }

    internal void PaintEaves(Facade facade, Building house)
    {
        if (house.Roof is RoofKind.Gable or RoofKind.StepGable)
        {
            return;
        }

        var depth = house.Roof == RoofKind.Flat ? 0.25f : 0.4f + 0.3f * house.Unit(41);
        brush.On(facade.Plane(brush.Camera));
        brush.Rect(house.Start, house.Height - depth - 0.25f, house.End, house.Height - depth, house.Wall.Scale(0.75f));
        brush.On(facade.Plane(brush.Camera, 0.25f));
        brush.Rect(house.Start, house.Height - depth, house.End, house.Height + 0.1f, house.Trim);
        if (house.Roof == RoofKind.Cornice)
        {
            for (var s = house.Start + 0.2f; s < house.End - 0.3f; s += 0.7f)
            {
                brush.AddRect(s, house.Height - depth, s + 0.3f, house.Height - 0.12f);
            }

            brush.Fill(house.Trim.Scale(0.75f));
        }

        if (conditions.Weather == Weather.Snow)
        {
            brush.Rect(house.Start, house.Height + 0.1f, house.End, house.Height + 0.3f, Snow);
        }
    }

    private void Chimneys(Facade facade, Building house)
    {
        brush.On(facade.Plane(brush.Camera, -2));
        for (var i = 0; i < (int)(3 * house.Unit(42)); i++)
        {
            var s = house.Start + 1 + (house.Width - 2) * house.Unit(43, i);
            var top = house.Height + 2.5f + 1.5f * house.Unit(44, i);
            brush.Rect(s, house.Height - 0.5f, s + 0.8f, top, house.RoofColor.Scale(0.85f));
            brush.Rect(s - 0.1f, top, s + 0.9f, top + 0.2f, house.RoofColor.Scale(0.6f));
        }
    }

    private void Slope(Facade facade, Building house, SKColor color, Vector2 lean, float rise, float inset)
    {
        brush.On(facade.Leaning(brush.Camera, house.Height, 0, lean));
        brush.Polygon(
            color, new(house.Start, 0), new(house.End, 0), new(house.End - inset, rise), new(house.Start + inset, rise));
        for (var z = 0.4f; z < rise; z += 0.4f)
        {
            brush.AddRect(house.Start + inset, z, house.End - inset, z + 0.06f);
        }

        brush.Fill(color.Scale(0.85f));
    }

    private void Dormers(Facade facade, Building house)
    {
        brush.On(facade.Plane(brush.Camera, -0.2f));
        var count = Math.Max(1, house.Columns / 2);
        var step = house.Width / count;
        for (var i = 0; i < count; i++)
        {
            var (s, z) = (house.Start + (i + 0.5f) * step, house.Height);
            brush.Rect(s - 0.7f, z, s + 0.7f, z + 1.6f, house.Trim);
            brush.Rect(s - 0.45f, z + 0.25f, s + 0.45f, z + 1.45f, new SKColor(66, 76, 86));
            brush.Polygon(house.RoofColor.Scale(0.8f), new(s - 0.9f, z + 1.6f), new(s + 0.9f, z + 1.6f), new(s, z + 2.2f));
        }
    }

    private void Gable(Facade facade, Building house)
    {
        var middle = (house.Start + house.End) / 2;
        var rise = house.Width * (0.28f + 0.2f * house.Unit(45));
        brush.On(facade.Plane(brush.Camera));
        brush.Polygon(house.Wall, new(house.Start, house.Height), new(house.End, house.Height), new(middle, house.Height + rise));
        brush.Path.MoveTo(house.Start - 0.1f, house.Height - 0.1f);
        brush.Path.LineTo(middle, house.Height + rise);
        brush.Path.LineTo(house.End + 0.1f, house.Height - 0.1f);
        brush.Outline(0.35f, conditions.Weather == Weather.Snow ? Snow : house.RoofColor);
        brush.Oval(middle, house.Height + rise * 0.35f, 0.5f, 0.6f, new SKColor(66, 76, 86));
    }

    private void Steps(Facade facade, Building house)
    {
        const int Count = 4;
        brush.On(facade.Plane(brush.Camera));
        for (var step = 0; step < Count; step++)
        {
            var inset = step * house.Width / 2 / (Count + 0.6f);
            var z = house.Height + step;
            brush.Rect(house.Start + inset, z, house.End - inset, z + 1, house.Wall);
            var cap = conditions.Weather == Weather.Snow ? Snow : house.Trim;
            brush.Rect(house.Start + inset, z + 0.88f, house.End - inset, z + 1, cap);
        }
    }
}
