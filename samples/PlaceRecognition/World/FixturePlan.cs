using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Places the permanent furniture of a street along its two kerbs.</summary>
internal static class FixturePlan
{
    internal static List<Fixture> Draw(float length, float road, float wall, Dice dice)
    {
        var fixtures = new List<Fixture>();
        foreach (var side in (ReadOnlySpan<int>)[1, -1])
        {
            Regular(fixtures, FixtureKind.Lamp, length, side * (road + 0.5f), dice.Range(22, 32), 1, dice);
            Regular(fixtures, FixtureKind.Tree, length, side * (road + 0.8f), dice.Range(11, 16), 0.45, dice);
            Small(fixtures, length, side, road, wall, dice);
        }

        return fixtures;
    }

    private static void Regular(
        List<Fixture> fixtures, FixtureKind kind, float length, float y, float step, double density, Dice dice)
    {
        for (var x = -Street.Overhang + dice.Range(0, step); x < length + Street.Overhang; x += step * dice.Range(0.8f, 1.2f))
        {
            if (dice.Chance(density))
            {
                fixtures.Add(new Fixture(kind, x, y, SKColors.Gray, dice.Seed()));
            }
        }
    }

    private static void Small(List<Fixture> fixtures, float length, int side, float road, float wall, Dice dice)
    {
        for (var x = -Street.Overhang; x < length + Street.Overhang; x += dice.Range(3, 11))
        {
            var kind = (FixtureKind)(2 + dice.Weighted(3, 1, 1, 2, 1, 1));
            var y = side * (kind is FixtureKind.Bench or FixtureKind.Cabinet ? wall - 0.5f : road + 0.4f);
            var count = kind == FixtureKind.Bollard ? 1 + dice.Below(5) : 1;
            var (color, seed) = (ColorOf(kind, dice), dice.Seed());
            for (var i = 0; i < count; i++)
            {
                fixtures.Add(new Fixture(kind, x + 1.3f * i, y, color, seed));
            }
        }
    }

    private static SKColor ColorOf(FixtureKind kind, Dice dice) => kind switch
    {
        FixtureKind.Bollard => dice.Chance(0.5) ? new SKColor(60, 62, 66) : new SKColor(190, 188, 180),
        FixtureKind.PostBox => dice.Chance(0.5) ? new SKColor(230, 190, 20) : new SKColor(190, 30, 30),
        FixtureKind.Hydrant => dice.Chance(0.5) ? new SKColor(200, 40, 30) : new SKColor(60, 90, 170),
        FixtureKind.Cabinet => new SKColor(130, 140, 130).Scale(dice.Range(0.7f, 1.3f)),
        _ => dice.Pick(Palette.Vivid),
    };
}
