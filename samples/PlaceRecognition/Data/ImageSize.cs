namespace PlaceRecognition.Data;

/// <summary>Height and width in pixels.</summary>
internal readonly record struct ImageSize(int Height, int Width)
{
    private const int LargestSide = 4096;

    public static ImageSize Default { get; } = new(72, 96);

    public override string ToString() => $"{Height}x{Width}";

    /// <summary>From height and width; null where they cannot be.</summary>
    public static ImageSize? Of(long[] sides) =>
        sides is [> 0 and <= LargestSide, > 0 and <= LargestSide] ? new((int)sides[0], (int)sides[1]) : null;

    /// <summary>Reads HEIGHTxWIDTH.</summary>
    public static ImageSize Parse(string text)
    {
        var parts = text.Split('x');
        return parts.Length == 2 && int.TryParse(parts[0], out var height) && int.TryParse(parts[1], out var width)
            && Of([height, width]) is { } size
            ? size
            : throw new UserException($"--image-size: expected HEIGHTxWIDTH in pixels up to {LargestSide}, for example {Default}, got '{text}'");
    }
}
