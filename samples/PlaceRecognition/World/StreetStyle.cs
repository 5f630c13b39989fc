using SkiaSharp;

namespace PlaceRecognition.World;

internal enum RoofKind
{
    Flat,
    Cornice,
    Gable,
    StepGable,
    Mansard,
    Pitched,
}

internal enum WallKind
{
    Plain,
    Brick,
    Bands,
    Panels,
}

/// <summary>One type of window, in metres.</summary>
internal sealed record WindowStyle(float Width, float Height, bool Arched, int Panes, int Surround, SKColor Frame);

/// <summary>
/// The few colours and types that the buildings of one street draw from. All streets draw their styles from the same
/// distribution, so that colour statistics alone do not tell a place.
/// </summary>
internal sealed record StreetStyle(
    SKColor[] Walls,
    SKColor[] Trims,
    SKColor[] Shutters,
    SKColor[] Roofs,
    RoofKind[] RoofKinds,
    WallKind[] WallKinds,
    WindowStyle[] Windows,
    float Shops,
    SKColor Pavement)
{
    internal static StreetStyle Draw(Dice dice) => new(
        dice.Some(Palette.Walls, 6),
        dice.Some(Palette.Trims, 3),
        dice.Some(Palette.Shutters, 3),
        dice.Some(Palette.Roofs, 2),
        dice.Some(Enum.GetValues<RoofKind>(), 4),
        dice.Some(Enum.GetValues<WallKind>(), 3),
        [.. Enumerable.Range(0, 4).Select(_ => DrawWindow(dice))],
        dice.Range(0.35f, 0.7f),
        new SKColor(168, 164, 158).Scale(dice.Range(0.85f, 1.1f)));

    private static WindowStyle DrawWindow(Dice dice) => new(
        dice.Range(0.9f, 1.7f),
        dice.Range(1.4f, 2.1f),
        dice.Chance(0.3),
        dice.Below(5),
        dice.Below(4),
        dice.Pick(Palette.Frames));
}
