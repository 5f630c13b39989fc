namespace PlaceRecognition.World;

/// <summary>Draws the row of lots of one side of a street.</summary>
internal static class BuildingPlan
{
    /// <summary>Lots that fill the row from <paramref name="from"/> to at least <paramref name="to"/>.</summary>
    internal static List<Building> Row(float from, float to, StreetStyle style, Dice dice)
    {
        var row = new List<Building>();
        var previous = LotKind.Alley;
        while (from < to)
        {
            var lot = previous == LotKind.House && dice.Chance(0.2)
                ? (LotKind)(1 + dice.Weighted(1, 1, 1.2f))
                : LotKind.House;
            row.Add(Draw(lot, from, style, dice));
            from = row[^1].End;
            previous = lot;
        }

        return row;
    }

    private static Building Draw(LotKind lot, float start, StreetStyle style, Dice dice)
    {
        var width = lot switch
        {
            LotKind.House => dice.Range(8, 18),
            LotKind.Alley => dice.Range(2.5f, 4.5f),
            _ => dice.Range(4, 9),
        };
        var ground = dice.Range(3.5f, 4.2f);
        var window = dice.Pick(style.Windows);
        var seed = dice.Seed();
        return new Building(
            lot,
            start,
            width,
            Floors: 2 + dice.Weighted(0.8f, 3, 3, 1.5f, 0.7f),
            ground,
            FloorHeight: dice.Range(2.9f, 3.4f),
            dice.Pick(style.WallKinds),
            dice.Pick(style.Walls).Scale(dice.Range(0.93f, 1.05f)),
            dice.Pick(style.Trims),
            dice.Chance(0.35) ? dice.Pick(style.Shutters) : null,
            dice.Pick(style.Roofs),
            dice.Pick(style.RoofKinds),
            window,
            Columns: Math.Max(2, (int)(width / (window.Width + dice.Range(0.9f, 1.9f)))),
            Balconies: dice.Chance(0.3) ? dice.Range(0.2f, 0.7f) : 0,
            GroundFloorPlan.Bays(start, width, window, dice.Chance(style.Shops), new Dice(seed)),
            seed);
    }
}
