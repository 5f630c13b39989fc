using SkiaSharp;

namespace PlaceRecognition.World;

internal enum LotKind
{
    House,
    Wall,
    Fence,
    Alley,
}

internal enum BayKind
{
    Door,
    Shop,
    Garage,
    Window,
    Blank,
}

/// <summary>A piece of a ground floor; <paramref name="Start"/> in metres along the façade row.</summary>
internal sealed record Bay(BayKind Kind, float Start, float Width, SKColor Color, SKColor Accent, int Seed);

/// <summary>One lot of a façade row, in metres along the row; it never changes.</summary>
internal sealed record Building(
    LotKind Lot,
    float Start,
    float Width,
    int Floors,
    float GroundHeight,
    float FloorHeight,
    WallKind WallKind,
    SKColor Wall,
    SKColor Trim,
    SKColor? Shutters,
    SKColor RoofColor,
    RoofKind Roof,
    WindowStyle Window,
    int Columns,
    float Balconies,
    IReadOnlyList<Bay> Bays,
    int Seed)
{
    internal float End => Start + Width;

    /// <summary>Height of the wall, without the roof; above the last windows there is room for a cornice.</summary>
    internal float Height => Lot == LotKind.House ? GroundHeight + (Floors - 1) * FloorHeight + 0.7f : 2.2f;

    internal float Unit(int a, int b = 0, int c = 0) => StableSeed.Unit(Seed, a, b, c);
}
