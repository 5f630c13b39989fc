using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A house: its flanks, its roof, its wall with windows, its ground floor.</summary>
internal sealed class HousePainter(Brush brush, Conditions conditions)
{
    private const float Depth = 12;

    private readonly RoofPainter roofs = new(brush, conditions);
    private readonly WindowPainter windows = new(brush, conditions);
    private readonly GroundFloorPainter groundFloors = new(brush, conditions);

    internal void Paint(Facade facade, Building house, float from, float to)
    {
        Flanks(facade, house);
        roofs.Paint(facade, house);
        brush.On(facade.Plane(brush.Camera));
        brush.Rect(house.Start, 0, house.End, house.Height, house.Wall);
        Texture(house, Math.Max(from, house.Start), Math.Min(to, house.End));
        Bands(house);
        windows.Paint(facade, house, from, to);
        groundFloors.Paint(facade, house, from, to);
        roofs.PaintEaves(facade, house);
    }

    private void Flanks(Facade facade, Building house)
    {
        foreach (var s in (ReadOnlySpan<float>)[house.Start, house.End])
        {
            brush.On(facade.Square(brush.Camera, s));
            brush.Rect(-Depth, 0, 0, house.Height, house.Wall.Scale(0.72f));
        }
    }

    private void Texture(Building house, float from, float to)
    {
        switch (house.WallKind)
        {
            case WallKind.Brick:
                Bricks(house, from, to);
                break;
            case WallKind.Bands:
                Courses(house, 0.55f, 0.06f, house.GroundHeight);
                break;
            case WallKind.Panels:
                Panels(house);
                break;
            default:
                Stains(house);
                break;
        }
    }

    private void Bricks(Building house, float from, float to)
    {
        Courses(house, 0.3f, 0.035f, house.Height);
        for (var course = 0; course * 0.3f < house.Height; course++)
        {
            for (var brick = 0; brick < (int)(house.Width / 1.5f); brick++)
            {
                var s = house.Start + (brick + house.Unit(course, brick, 1)) * 1.5f;
                if (s > from && s + 0.45f < to)
                {
                    brush.AddRect(s, course * 0.3f, s + 0.45f, course * 0.3f + 0.27f);
                }
            }
        }

        brush.Fill(house.Wall.Scale(0.86f));
    }

    private void Courses(Building house, float step, float joint, float top)
    {
        for (var z = step; z < top; z += step)
        {
            brush.AddRect(house.Start, z, house.End, z + joint);
        }

        brush.Fill(house.Wall.Scale(0.8f));
    }

    private void Panels(Building house)
    {
        var step = 1.2f + 2 * house.Unit(21);
        for (var s = house.Start + step; s < house.End; s += step)
        {
            brush.AddRect(s, house.GroundHeight, s + 0.06f, house.Height);
        }

        for (var floor = 1; floor < house.Floors; floor++)
        {
            var z = house.GroundHeight + floor * house.FloorHeight;
            brush.AddRect(house.Start, z - 0.06f, house.End, z);
        }

        brush.Fill(house.Wall.Scale(0.82f));
    }

    private void Stains(Building house)
    {
        for (var i = 0; i < 4; i++)
        {
            var (s, z) = (house.Start + house.Width * house.Unit(i, 22), house.Height * house.Unit(i, 23));
            var (width, height) = (0.3f + 1.5f * house.Unit(i, 24), 0.4f + 2 * house.Unit(i, 25));
            brush.AddRect(s, z, Math.Min(s + width, house.End), Math.Min(z + height, house.Height));
        }

        brush.Fill(house.Wall.Scale(0.94f));
    }

    private void Bands(Building house)
    {
        var plinth = 0.3f + 0.5f * house.Unit(26);
        brush.Rect(house.Start, 0, house.End, plinth, house.Wall.Scale(0.62f));
        if (house.Unit(27) < 0.6f)
        {
            brush.Rect(house.Start, house.GroundHeight - 0.25f, house.End, house.GroundHeight, house.Trim);
        }

        if (house.Unit(28) < 0.3f)
        {
            brush.Rect(house.Start, plinth, house.End, house.GroundHeight - 0.25f, house.Trim.Scale(0.92f));
        }

        if (house.Unit(29) < 0.4f)
        {
            var pipe = house.Unit(30) < 0.5f ? house.Start + 0.15f : house.End - 0.27f;
            brush.Rect(pipe, 0, pipe + 0.12f, house.Height, new SKColor(90, 92, 92));
        }
    }
}
