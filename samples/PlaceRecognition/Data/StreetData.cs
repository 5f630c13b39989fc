using PlaceRecognition.World;

namespace PlaceRecognition.Data;

/// <summary>The embedded data set: a world of streets, drawn here.</summary>
internal static class StreetData
{
    /// <summary>The kinds of queries in a world of hard ones.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["as drawn", "much sky", "much road", "blurred"];

    public static PlaceSet[] Create(int seed, WorldSize size, string[] splits)
    {
        var world = new StreetWorld(seed, size);
        return Array.ConvertAll(splits, name =>
        {
            var split = Enum.Parse<Split>(name, ignoreCase: true);
            return new PlaceSet(name, Places(split, isQuery: false), Places(split, isQuery: true));
        });

        List<Place> Places(Split split, bool isQuery) =>
        [
            .. world.Views.Where(view => view.Split == split && view.IsQuery == isQuery)
                .Select(view => new Place(PhotoName.Of(view.East, view.North, view.Heading), view.East, view.North,
                    bitmap => world.Render(view, bitmap), size.HardQueries && isQuery ? Kinds[(int)view.Challenge] : null)),
        ];
    }
}
