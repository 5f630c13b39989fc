using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>One side of the street: what shows through its gaps, then its lots from far to near.</summary>
internal sealed class FacadePainter(Brush brush, Street street, Conditions conditions)
{
    private readonly HousePainter houses = new(brush, conditions);
    private readonly LampLightPainter lamps = new(brush, street);
    private readonly GapPainter gaps = new(brush, conditions);

    internal void Paint(Facade facade, Facade opposite)
    {
        var (from, to) = facade.Seen(brush.Camera);
        if (from > to)
        {
            return;
        }

        var at = facade.ToAlong(brush.Camera.Position.X);
        var lots = facade.Row.Where(lot => lot.End > from && lot.Start < to).ToList();
        lots.Sort((a, b) => Distance(b, at).CompareTo(Distance(a, at)));
        brush.Shade = ShadeOf(facade);
        foreach (var lot in lots.Where(lot => lot.Lot != LotKind.House))
        {
            HazeFor(facade, lot, at, 12);
            gaps.PaintBehind(facade, lot);
        }

        foreach (var lot in lots)
        {
            HazeFor(facade, lot, at, 0);
            if (lot.Lot == LotKind.House)
            {
                houses.Paint(facade, lot, from, to);
            }
            else
            {
                gaps.PaintFront(facade, lot);
            }
        }

        brush.Shade = 1;
        brush.Haze = 0;
        CastShadow(facade, opposite, from, to);
        lamps.PaintWall(facade, from, to);
    }

    private static float Distance(Building lot, float at) => Math.Max(0, Math.Max(lot.Start - at, at - lot.End));

    private void HazeFor(Facade facade, Building lot, float at, float behind)
    {
        var across = facade.Distance - facade.Side * brush.Camera.Position.Y + behind;
        var along = Math.Abs((lot.Start + lot.End) / 2 - at);
        brush.Haze = conditions.Light.HazeAt(MathF.Sqrt(across * across + along * along));
    }

    private float ShadeOf(Facade facade) => (conditions.Light.SunSide * facade.Side) switch
    {
        > 0 => 1.08f,
        < 0 => 0.78f,
        _ => 1,
    };

    /// <summary>The shadow that the roofs across the street throw on this wall.</summary>
    private void CastShadow(Facade facade, Facade opposite, float from, float to)
    {
        var light = conditions.Light;
        if (light.SunSide != facade.Side)
        {
            return;
        }

        var drop = 2 * facade.Distance * light.SunSlope;
        var shift = 2 * facade.Distance * light.SunDrift * facade.Side;
        foreach (var lot in opposite.Row)
        {
            var (a, b) = (facade.Length - lot.End + shift, facade.Length - lot.Start + shift);
            if (lot.Height > drop && b > from && a < to)
            {
                brush.AddRect(a, 0, b, lot.Height - drop);
            }
        }

        brush.On(facade.Plane(brush.Camera, 0.05f));
        brush.FillRaw(new SKColor(15, 20, 45, 110));
    }
}
