namespace PlaceRecognition.World;

/// <summary>How many streets there are, how long they are (metres), and how densely they are photographed.</summary>
/// <param name="HardQueries">Of every four queries one is as drawn, one shows much sky, one much road, one is blurred.</param>
internal sealed record WorldSize(
    int TrainStreets,
    int ValStreets,
    int TestStreets,
    double StreetLength,
    double DatabaseSpacing,
    int QueriesPerStreet,
    bool HardQueries = false)
{
    /// <summary>The world of the default run.</summary>
    internal static WorldSize Default { get; } = new(16, 4, 8, 240, 6, 50);

    /// <summary>A small world, for a run of seconds.</summary>
    internal static WorldSize Quick { get; } = new(3, 1, 2, 240, 6, 25);
}
