using System.Globalization;

namespace Distributed.Data;

/// <summary>Height and width in pixels.</summary>
internal readonly record struct ImageSize(int Height, int Width)
{
    private const int Smallest = 8;
    private const int Largest = 4096;

    public static ImageSize Parse(string text)
    {
        var sides = text.Split('x');
        return sides.Length == 2 && Side(sides[0]) is { } height && Side(sides[1]) is { } width
            ? new(height, width)
            : throw new UserException($"--image-size: expected HEIGHTxWIDTH, each from {Smallest} to {Largest} pixels, for example 64x64, got '{text}'");
    }

    private static int? Side(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side is >= Smallest and <= Largest ? side : null;
}
