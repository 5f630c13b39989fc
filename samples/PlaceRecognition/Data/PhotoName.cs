using System.Globalization;

namespace PlaceRecognition.Data;

/// <summary>File names of place-recognition benchmarks: <c>@utm_east@utm_north@….jpg</c>, fields between @ signs.</summary>
internal static class PhotoName
{
    public static string Of(double east, double north, double heading) =>
        string.Create(CultureInfo.InvariantCulture, $"@{east:0.00}@{north:0.00}@@@@@@@{heading:0.0}@@@@@.jpg");

    /// <summary>Where the picture was taken; null for a name that does not say.</summary>
    public static (double East, double North)? Position(string path)
    {
        var fields = Path.GetFileNameWithoutExtension(path).Split('@');
        return fields.Length >= 3 && fields[0].Length == 0 && Number(fields[1]) is { } east && Number(fields[2]) is { } north
            ? (east, north)
            : null;
    }

    private static double? Number(string field) =>
        double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;
}
