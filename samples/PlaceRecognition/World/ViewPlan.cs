namespace PlaceRecognition.World;

/// <summary>Decides where the pictures of a street are taken.</summary>
internal static class ViewPlan
{
    private const double EndMargin = 5;

    /// <summary>A camera car drives through the one-way street and looks at its left side.</summary>
    internal static IEnumerable<View> Database(Street street, double spacing)
    {
        var number = 0;
        for (var along = spacing / 2; along < street.Length; along += spacing)
        {
            var seed = StableSeed.Of(street.Seed, 1, number++);
            var dice = new Dice(StableSeed.Of(seed, 1));
            yield return At(street, false, along, dice.Range(-0.5f, 0.5f), dice.Range(-15, 15), seed);
        }
    }

    /// <summary>People photograph the same side, from anywhere on the road, turned more, at any hour.</summary>
    internal static IEnumerable<View> Queries(Street street, int count)
    {
        for (var number = 0; number < count; number++)
        {
            var seed = StableSeed.Of(street.Seed, 2, number);
            var dice = new Dice(StableSeed.Of(seed, 1));
            var along = dice.Range((float)EndMargin, (float)(street.Length - EndMargin));
            yield return At(street, true, along, dice.Range(-2, 2), dice.Range(-20, 20), seed);
        }
    }

    private static View At(Street street, bool isQuery, double along, double left, double turn, int seed)
    {
        var (east, north) = street.ToWorld(along, left);
        var heading = street.Heading - 90 + turn;
        return new View(street.Split, isQuery, street.Index, east, north, (heading + 720) % 360, seed);
    }
}
