using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>The windows of a house's upper floors, layer by layer so that each layer is one path.</summary>
internal sealed class WindowPainter(Brush brush, Conditions conditions)
{
    private static readonly SKColor Glass = new(62, 72, 82);
    private static readonly SKColor Curtain = new(198, 192, 178);
    private static readonly SKColor Lit = new(255, 214, 140);

    private readonly BalconyPainter balconies = new(brush);
    private readonly List<Opening> openings = [];

    private readonly record struct Opening(float Left, float Bottom, float Right, float Top, float Fate, int Number);

    internal void Paint(Facade facade, Building house, float from, float to)
    {
        Collect(house, from, to);
        Surrounds(house);
        Frames(house);
        Panes(house);
        Shutters(house);
        Sills(house);
        foreach (var o in openings)
        {
            balconies.Paint(facade, house, o.Number, o.Left, o.Right, o.Bottom - 0.55f);
        }
    }

    private void Collect(Building house, float from, float to)
    {
        openings.Clear();
        var step = house.Width / house.Columns;
        for (var column = 0; column < house.Columns; column++)
        {
            var left = house.Start + (column + 0.5f) * step - house.Window.Width / 2;
            if (left > to || left + house.Window.Width < from)
            {
                continue;
            }

            for (var floor = 1; floor < house.Floors; floor++)
            {
                var fate = house.Unit(floor, column, 1);
                if (fate > 0.04f)
                {
                    var sill = house.GroundHeight + (floor - 1) * house.FloorHeight + 0.75f;
                    openings.Add(new Opening(
                        left, sill, left + house.Window.Width, sill + house.Window.Height, fate, 100 * floor + column));
                }
            }
        }
    }

    private void Surrounds(Building house)
    {
        foreach (var o in openings)
        {
            switch (house.Window.Surround)
            {
                case 1:
                    brush.AddOpening(o.Left - 0.18f, o.Bottom - 0.1f, o.Right + 0.18f, o.Top + 0.18f, house.Window.Arched);
                    break;
                case 2:
                    brush.AddRect(o.Left - 0.2f, o.Top, o.Right + 0.2f, o.Top + 0.28f);
                    break;
                case 3:
                    brush.AddRect(o.Left - 0.12f, o.Bottom, o.Right + 0.12f, o.Top + 0.12f);
                    brush.AddPolygon(
                        new(o.Left - 0.3f, o.Top + 0.2f), new(o.Right + 0.3f, o.Top + 0.2f),
                        new((o.Left + o.Right) / 2, o.Top + 0.55f));
                    break;
            }
        }

        brush.Fill(house.Trim);
    }

    private void Frames(Building house)
    {
        const float Frame = 0.09f;
        foreach (var o in openings)
        {
            brush.AddOpening(o.Left, o.Bottom, o.Right, o.Top, house.Window.Arched);
        }

        brush.Fill(house.Window.Frame);
        Glaze(house, Frame, o => !IsLit(house, o), () => brush.Fill(Glass.Towards(conditions.Light.SkyLow, 0.2f)));
        Glaze(house, Frame, o => IsLit(house, o), () => brush.FillGlowing(Lit, 0.25f + 0.75f * conditions.Light.Glow));
        foreach (var o in openings)
        {
            brush.AddRect(o.Left + Frame, o.Top - 0.28f, o.Right - Frame, o.Top - Frame);
        }

        brush.FillRaw(new SKColor(10, 12, 16, 90));
        Curtains(Frame);
    }

    private void Glaze(Building house, float frame, Func<Opening, bool> which, Action fill)
    {
        foreach (var o in openings)
        {
            if (which(o))
            {
                brush.AddOpening(o.Left + frame, o.Bottom + frame, o.Right - frame, o.Top - frame, house.Window.Arched);
            }
        }

        fill();
    }

    private bool IsLit(Building house, Opening o) =>
        conditions.Light.Glow > 0.2f
        && StableSeed.Unit(conditions.Seed, house.Seed, o.Number) < 0.45f * conditions.Light.Glow;

    private void Curtains(float frame)
    {
        foreach (var o in openings)
        {
            var (low, high) = (o.Bottom + frame, o.Top - frame - 0.1f);
            var third = (o.Right - o.Left) * 0.27f;
            switch (o.Fate)
            {
                case < 0.2f:
                    brush.AddRect(o.Left + frame, low, o.Left + third, high);
                    brush.AddRect(o.Right - third, low, o.Right - frame, high);
                    break;
                case < 0.34f:
                    brush.AddRect(o.Left + frame, low + (high - low) * 3 * (0.34f - o.Fate), o.Right - frame, high);
                    break;
                case < 0.42f:
                    brush.AddRect(o.Left + frame, low, o.Right - frame, low + (high - low) * 0.4f);
                    break;
            }
        }

        brush.Fill(Curtain);
    }

    private void Panes(Building house)
    {
        const float Bar = 0.06f;
        foreach (var o in openings)
        {
            var (x, z) = ((o.Left + o.Right) / 2, o.Bottom + 0.65f * (o.Top - o.Bottom));
            var kind = house.Window.Panes;
            if (kind is 1 or 2 or 4)
            {
                brush.AddRect(x - Bar, o.Bottom, x + Bar, o.Top - 0.05f);
            }

            if (kind is 1 or 3 or 4)
            {
                brush.AddRect(o.Left, z - Bar, o.Right, z + Bar);
            }

            if (kind == 4)
            {
                var lower = o.Bottom + 0.32f * (o.Top - o.Bottom);
                brush.AddRect(o.Left, lower - Bar, o.Right, lower + Bar);
            }
        }

        brush.Fill(house.Window.Frame);
    }

    private void Shutters(Building house)
    {
        if (house.Shutters is not { } color)
        {
            return;
        }

        foreach (var o in openings)
        {
            var leaf = house.Window.Width * 0.42f;
            var closed = o.Fate > 0.92f;
            brush.AddRect(closed ? o.Left : o.Left - leaf, o.Bottom, closed ? o.Left + 1.15f * leaf : o.Left - 0.02f, o.Top);
            brush.AddRect(closed ? o.Right - 1.15f * leaf : o.Right + 0.02f, o.Bottom, closed ? o.Right : o.Right + leaf, o.Top);
        }

        brush.Fill(color);
    }

    private void Sills(Building house)
    {
        foreach (var o in openings)
        {
            brush.AddRect(o.Left - 0.15f, o.Bottom - 0.12f, o.Right + 0.15f, o.Bottom);
        }

        brush.Fill(conditions.Weather == Weather.Snow ? new SKColor(240, 243, 248) : house.Trim.Scale(0.9f));
        foreach (var o in openings)
        {
            if (o.Fate is > 0.6f and < 0.7f)
            {
                brush.Rect(o.Left, o.Bottom, o.Right, o.Bottom + 0.3f, new SKColor(70, 105, 55));
                var bloom = Palette.Vivid[(int)(house.Unit(o.Number, 2) * Palette.Vivid.Length)];
                brush.Rect(o.Left + 0.1f, o.Bottom + 0.15f, o.Right - 0.1f, o.Bottom + 0.38f, bloom);
            }
        }
    }
}
