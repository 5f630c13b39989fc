using SkiaSharp;
using static TorchSharp.torch;

namespace Experiments.Report;

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

    /// <summary>A grey picture, every pixel a square of <paramref name="scale"/> screen pixels.</summary>
    /// <param name="image">Shape (…, H, W), one picture, 0 black to 1 white; what lies outside is clipped.</param>
    public static SKBitmap Grey(Tensor image, int scale = 1)
    {
        using var scope = NewDisposeScope();
        var flat = image.squeeze().clamp(0, 1).mul(255).round().to(ScalarType.Byte).cpu();
        var (height, width) = ((int)flat.size(0), (int)flat.size(1));
        var values = flat.contiguous().data<byte>().ToArray();
        var bitmap = new SKBitmap(width * scale, height * scale);
        for (var y = 0; y < bitmap.Height; y++)
        {
            for (var x = 0; x < bitmap.Width; x++)
            {
                var value = values[(y / scale * width) + (x / scale)];
                bitmap.SetPixel(x, y, new(value, value, value));
            }
        }

        return bitmap;
    }

    /// <summary>An HTML image that holds its own bytes.</summary>
    public static string Html(SKBitmap bitmap, string description)
    {
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 85);
        return $"<img alt=\"{System.Net.WebUtility.HtmlEncode(description)}\" width=\"{bitmap.Width}\" height=\"{bitmap.Height}\" src=\"data:image/jpeg;base64,{Convert.ToBase64String(data.Span)}\">";
    }
}
