using SkiaSharp;

namespace PlaceRecognition.Report;

/// <summary>Bitmaps for the report: framing, and the form in which a page carries them.</summary>
internal static class Pixels
{
    /// <summary>The bitmap inside a frame of this colour.</summary>
    public static SKBitmap Frame(SKBitmap bitmap, SKColor color, int thickness = 5)
    {
        var framed = new SKBitmap(bitmap.Width + 2 * thickness, bitmap.Height + 2 * thickness);
        using var canvas = new SKCanvas(framed);
        canvas.Clear(color);
        canvas.DrawBitmap(bitmap, thickness, thickness);
        return framed;
    }

    /// <summary>An HTML image that holds its own bytes.</summary>
    public static string Html(SKBitmap bitmap, string description)
    {
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 85);
        return $"<img alt=\"{System.Net.WebUtility.HtmlEncode(description)}\" width=\"{bitmap.Width}\" height=\"{bitmap.Height}\" src=\"data:image/jpeg;base64,{Convert.ToBase64String(data.Span)}\">";
    }
}
