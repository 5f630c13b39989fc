using SkiaSharp;

namespace PlaceRecognition.Data;

/// <summary>One picture and where it was taken, in metres.</summary>
/// <param name="Name">The file's path, or what stands for it; names the picture in errors.</param>
/// <param name="Draw">Draws the picture into an RGBA8888 bitmap of any size; may be called on any thread.</param>
/// <param name="Kind">What sort of query it is, where the data set tells.</param>
internal sealed record Place(string Name, double East, double North, Action<SKBitmap> Draw, string? Kind = null)
{
    public double DistanceTo(Place other) => Math.Sqrt(Square(East - other.East) + Square(North - other.North));

    /// <summary>The picture at this size.</summary>
    public SKBitmap Picture(int width, int height)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Draw(bitmap);
        return bitmap;
    }

    private static double Square(double x) => x * x;
}

/// <summary>The pictures that are searched, and those that ask where they were taken.</summary>
internal sealed record PlaceSet(string Name, IReadOnlyList<Place> Database, IReadOnlyList<Place> Queries);
