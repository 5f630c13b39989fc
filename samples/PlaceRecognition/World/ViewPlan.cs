namespace PlaceRecognition.World;

/// <summary>Decides where the pictures of a street are taken.</summary>
internal static class ViewPlan
{
    private const double EndMargin = 5;

    internal static IEnumerable<View> Database(Street street, double spacing)
    {
        var number = 0;
        for (var along = spacing / 2; along < street.Length; along += spacing)
        {
            foreach (var side in (int[])[1, -1])
            {
                var seed = StableSeed.Of(street.Seed, 1, number++);
                var dice = new Dice(StableSeed.Of(seed, 1));
                yield return At(street, false, along, dice.Range(-0.5f, 0.5f), side, dice.Range(-20, 20), seed);
            }
        }
    }

    internal static IEnumerable<View> Queries(Street street, int count)
    {
        for (var number = 0; number < count; number++)
        {
            var seed = StableSeed.Of(street.Seed, 2, number);
            var dice = new Dice(StableSeed.Of(seed, 1));
            var along = dice.Range((float)EndMargin, (float)(street.Length - EndMargin));
            var side = dice.Chance(0.5) ? 1 : -1;
            yield return At(street, true, along, dice.Range(-2, 2), side, dice.Range(-25, 25), seed);
        }
    }

    private static View At(
        Street street, bool isQuery, double along, double left, int side, double turn, int seed)
    {
        var (east, north) = street.ToWorld(along, left);
        var heading = street.Heading - side * 90 + turn;
        return new View(street.Split, isQuery, street.Index, east, north, (heading + 720) % 360, seed);
    }
}
