namespace PlaceRecognition.Data;

/// <summary>Height and width in pixels.</summary>
internal readonly record struct ImageSize(int Height, int Width)
{
    public static ImageSize Default { get; } = new(72, 96);

    public override string ToString() => $"{Height}x{Width}";

    /// <summary>Reads HEIGHTxWIDTH.</summary>
    public static ImageSize Parse(string text)
    {
        var parts = text.Split('x');
        return parts.Length == 2 && int.TryParse(parts[0], out var height) && int.TryParse(parts[1], out var width)
            && height > 0 && width > 0
            ? new(height, width)
            : throw new UserException($"--image-size: expected HEIGHTxWIDTH in pixels, for example {Default}, got '{text}'");
    }
}
