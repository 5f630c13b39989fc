using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A ground floor, bay by bay: its doors, garages and windows.</summary>
internal sealed class GroundFloorPainter(Brush brush, Conditions conditions)
{
    private static readonly SKColor Glass = new(58, 68, 78);
    private static readonly SKColor Lamp = new(255, 222, 160);

    private readonly ShopPainter shops = new(brush, conditions);

    internal void Paint(Facade facade, Building house, float from, float to)
    {
        foreach (var bay in house.Bays)
        {
            if (bay.Start > to || bay.Start + bay.Width < from)
            {
                continue;
            }

            brush.On(facade.Plane(brush.Camera));
            switch (bay.Kind)
            {
                case BayKind.Door:
                    Door(house, bay);
                    break;
                case BayKind.Shop:
                    shops.Paint(facade, house, bay);
                    break;
                case BayKind.Garage:
                    Garage(house, bay);
                    break;
                case BayKind.Window:
                    Window(house, bay);
                    break;
                default:
                    SignPainter.Blank(brush, bay);
                    break;
            }
        }
    }

    private static float Unit(Bay bay, int a, int b = 0) => StableSeed.Unit(bay.Seed, a, b);

    private void Door(Building house, Bay bay)
    {
        var width = Math.Min(bay.Width - 0.4f, 0.95f + 0.7f * Unit(bay, 1));
        var (left, top) = (bay.Start + (bay.Width - width) / 2, 2.05f + 0.2f * Unit(bay, 2));
        var (right, arched, light) = (left + width, Unit(bay, 3) < 0.35f, 0.6f * Unit(bay, 4));
        brush.AddOpening(left - 0.2f, 0, right + 0.2f, top + light + 0.22f, arched);
        brush.Fill(Unit(bay, 5) < 0.6f ? house.Trim : house.Wall.Scale(0.7f));
        brush.AddOpening(left, 0.1f, right, top + light, arched);
        brush.Fill(Glass);
        brush.Rect(left, 0.1f, right, top - (arched && light < 0.2f ? 0.35f : 0), bay.Color);
        DoorLeaf(bay, left, right, top);
        brush.Rect(left - 0.25f, 0, right + 0.25f, 0.12f, house.Trim.Scale(0.75f));
        if (Unit(bay, 6) < 0.5f)
        {
            brush.AddRect(right + 0.28f, 1.7f, right + 0.45f, 2);
            brush.FillGlowing(Lamp, 0.4f + 0.6f * conditions.Light.Glow);
        }
    }

    private void DoorLeaf(Bay bay, float left, float right, float top)
    {
        var (width, dark) = (right - left, bay.Color.Scale(0.65f));
        switch ((int)(5 * Unit(bay, 7)))
        {
            case 0:
                brush.Rect(left + 0.2f * width, 1.1f, right - 0.2f * width, top - 0.2f, Glass.Scale(1.3f));
                break;
            case 1:
                brush.Rect(left + width / 2 - 0.03f, 0.1f, left + width / 2 + 0.03f, top, dark);
                brush.Rect(left + 0.1f * width, 0.3f, left + 0.4f * width, 1, dark);
                brush.Rect(left + 0.6f * width, 0.3f, left + 0.9f * width, 1, dark);
                break;
            case 2:
                brush.Rect(left + 0.15f * width, 0.3f, right - 0.15f * width, 0.9f, dark);
                brush.Rect(left + 0.15f * width, 1.1f, right - 0.15f * width, 1.8f, dark);
                break;
            case 3:
                brush.Oval(left + width / 2, 1.55f, 0.22f * width, 0.25f, Glass.Scale(1.3f));
                break;
            default:
                brush.Rect(left + 0.1f * width, 0.3f, right - 0.1f * width, top - 0.15f, bay.Color.Scale(1.25f));
                break;
        }

        brush.Rect(right - 0.16f * width, 1, right - 0.06f * width, 1.12f, new SKColor(214, 190, 110));
    }

    private void Garage(Building house, Bay bay)
    {
        var (left, right, top) = (bay.Start + 0.2f, bay.Start + bay.Width - 0.2f, 2.3f + 0.3f * Unit(bay, 1));
        brush.Rect(left - 0.12f, 0, right + 0.12f, top + 0.15f, house.Trim.Scale(0.85f));
        brush.Rect(left, 0, right, top, bay.Color);
        var upright = Unit(bay, 2) < 0.4f;
        var step = 0.25f + 0.4f * Unit(bay, 3);
        for (var at = step; at < (upright ? right - left : top); at += step)
        {
            if (upright)
            {
                brush.AddRect(left + at, 0, left + at + 0.05f, top);
            }
            else
            {
                brush.AddRect(left, at, right, at + 0.05f);
            }
        }

        brush.Fill(bay.Color.Scale(0.7f));
    }

    private void Window(Building house, Bay bay)
    {
        var width = Math.Min(house.Window.Width, bay.Width - 0.3f);
        var left = bay.Start + (bay.Width - width) / 2;
        var (right, sill) = (left + width, 1.05f);
        var top = sill + Math.Min(house.Window.Height, 1.7f);
        brush.AddOpening(left - 0.14f, sill - 0.12f, right + 0.14f, top + 0.14f, house.Window.Arched);
        brush.Fill(house.Trim);
        brush.AddOpening(left, sill, right, top, house.Window.Arched);
        brush.Fill(house.Window.Frame);
        brush.AddOpening(left + 0.09f, sill + 0.09f, right - 0.09f, top - 0.09f, house.Window.Arched);
        if (conditions.Light.Glow > 0.2f && StableSeed.Unit(conditions.Seed, bay.Seed) < 0.5f * conditions.Light.Glow)
        {
            brush.FillGlowing(Lamp, 0.9f);
        }
        else
        {
            brush.Fill(Glass);
        }

        Bars(house, bay, left, right, sill, top);
    }

    private void Bars(Building house, Bay bay, float left, float right, float sill, float top)
    {
        var middle = (left + right) / 2;
        brush.Rect(middle - 0.05f, sill, middle + 0.05f, top - 0.05f, house.Window.Frame);
        if (Unit(bay, 1) < 0.3f)
        {
            for (var s = left + 0.1f; s < right; s += 0.2f)
            {
                brush.AddRect(s, sill, s + 0.04f, top);
            }

            brush.Fill(new SKColor(40, 42, 46));
        }
        else if (Unit(bay, 2) < 0.4f)
        {
            brush.Rect(left + 0.09f, sill + 0.09f, right - 0.09f, sill + 0.6f, new SKColor(205, 200, 188));
        }
    }
}
