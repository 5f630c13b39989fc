using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>
/// Streets drawn from a seed, the views to be taken in them, and the pictures of these views. The same seed gives the
/// same bytes in every process and on any thread; views may be rendered in any order, many at a time.
/// </summary>
internal sealed class StreetWorld
{
    private const double Gap = 250;
    private const double FirstEast = 500_000;
    private const double FirstNorth = 5_400_000;

    private readonly Street[] streets;

    internal StreetWorld(int seed, WorldSize size)
    {
        var places = new Queue<(double East, double North)>(Places(size));
        var counts = new[] { (Split.Train, size.TrainStreets), (Split.Val, size.ValStreets), (Split.Test, size.TestStreets) };
        var built = new List<Street>();
        foreach (var (split, count) in counts)
        {
            for (var i = 0; i < count; i++)
            {
                var (east, north) = places.Dequeue();
                var own = StableSeed.Of(seed, (int)split, i);
                built.Add(StreetPlan.Draw(split, built.Count, east, north, size.StreetLength, own));
            }
        }

        streets = [.. built];
        Views =
        [
            .. streets.SelectMany(street => ViewPlan.Database(street, size.DatabaseSpacing)
                .Concat(ViewPlan.Queries(street, size.QueriesPerStreet)
                    .Select((view, i) => size.HardQueries ? view with { Challenge = (Challenge)(i % 4) } : view))),
        ];
    }

    /// <summary>All pictures of the world: street by street, the database before the queries.</summary>
    internal IReadOnlyList<View> Views { get; }

    /// <summary>Takes the picture, into an RGBA8888 bitmap of any size.</summary>
    internal void Render(View view, SKBitmap bitmap)
    {
        if (bitmap.ColorType != SKColorType.Rgba8888)
        {
            throw new ArgumentException($"expected an Rgba8888 bitmap, got {bitmap.ColorType}", nameof(bitmap));
        }

        new Picture(streets[view.Street], view).Render(bitmap);
    }

    /// <summary>The middles of the streets: a square grid with cells longer than a street.</summary>
    private static IEnumerable<(double East, double North)> Places(WorldSize size)
    {
        var count = size.TrainStreets + size.ValStreets + size.TestStreets;
        var columns = (int)Math.Ceiling(Math.Sqrt(count));
        var cell = size.StreetLength + Gap;
        return Enumerable.Range(0, count).Select(i =>
            (FirstEast + (i % columns + 0.5) * cell, FirstNorth + (i / columns + 0.5) * cell));
    }
}
