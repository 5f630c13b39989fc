namespace PlaceRecognition.World;

/// <summary>Draws a street from its seed.</summary>
internal static class StreetPlan
{
    internal static Street Draw(Split split, int index, double east, double north, double length, int seed)
    {
        var dice = new Dice(seed);
        var style = StreetStyle.Draw(dice);
        var heading = dice.Range(0, 360);
        var metres = (float)length;
        var distance = dice.Range(9, 11);
        var road = distance - dice.Range(2.6f, 3.4f);
        var left = new Facade(1, distance, metres, Row(metres, style, dice));
        var right = new Facade(-1, distance, metres, Row(metres, style, dice));
        var radians = heading * Math.PI / 180;
        return new Street(
            split,
            index,
            east - length / 2 * Math.Sin(radians),
            north - length / 2 * Math.Cos(radians),
            heading,
            metres,
            road,
            style,
            left,
            right,
            FixturePlan.Draw(metres, road, distance, dice),
            Marks(metres, road, dice),
            dice.Below(3),
            seed);
    }

    private static List<Building> Row(float length, StreetStyle style, Dice dice) =>
        BuildingPlan.Row(-Street.Overhang, length + Street.Overhang, style, dice);

    private static List<GroundMark> Marks(float length, float road, Dice dice)
    {
        var marks = new List<GroundMark>();
        for (var x = -Street.Overhang; x < length + Street.Overhang; x += dice.Range(3, 9))
        {
            var kind = dice.Weighted(3, 3, 0.35f, 1.2f);
            marks.Add(new GroundMark(kind, x, dice.Range(-road + 1, road - 1), dice.Range(1, 4), dice.Range(0.8f, 2.2f)));
        }

        return marks;
    }
}
