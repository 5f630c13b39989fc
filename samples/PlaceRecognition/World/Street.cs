using SkiaSharp;

namespace PlaceRecognition.World;

internal enum FixtureKind
{
    Tree,
    Lamp,
    Bollard,
    PostBox,
    Hydrant,
    TrafficSign,
    Bench,
    Cabinet,
}

/// <summary>A thing that always stands at the same place of a street.</summary>
internal sealed record Fixture(FixtureKind Kind, float X, float Y, SKColor Color, int Seed);

/// <summary>A mark on the ground: a manhole, a patch of newer asphalt, a zebra crossing.</summary>
internal sealed record GroundMark(int Kind, float X, float Y, float Length, float Width);

/// <summary>A straight street and everything permanent in it; the middle of its start lies at east, north.</summary>
internal sealed record Street(
    Split Split,
    int Index,
    double East,
    double North,
    double Heading,
    float Length,
    float RoadHalfWidth,
    StreetStyle Style,
    Facade Left,
    Facade Right,
    IReadOnlyList<Fixture> Fixtures,
    IReadOnlyList<GroundMark> Marks,
    int LaneMarks,
    int Seed)
{
    /// <summary>Metres that the façades go on beyond both ends.</summary>
    internal const float Overhang = 60;

    private double Radians => Heading * Math.PI / 180;

    internal (double East, double North) ToWorld(double along, double left) => (
        East + along * Math.Sin(Radians) - left * Math.Cos(Radians),
        North + along * Math.Cos(Radians) + left * Math.Sin(Radians));

    internal (float Along, float Left) ToStreet(double east, double north)
    {
        var (e, n) = (east - East, north - North);
        return (
            (float)(e * Math.Sin(Radians) + n * Math.Cos(Radians)),
            (float)(-e * Math.Cos(Radians) + n * Math.Sin(Radians)));
    }

    /// <summary>Radians from the street's direction to the left, for a compass heading.</summary>
    internal float ToYaw(double heading) => (float)(Math.IEEERemainder(Heading - heading, 360) * Math.PI / 180);
}
