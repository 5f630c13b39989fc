using SkiaSharp;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>Glyphs turned anywhere, light on dark.</summary>
internal static class Glyphs
{
    public const int Side = 24;

    private const float Size = 17;      // pixels
    private const float Jitter = 1;     // pixels, either way
    private const float Noise = 0.1f;

    // The first is to be found; none of the others is it turned. The second is its mirror image: as long, and as far from the centre.
    private static readonly string[] Outlines =
    [
        "M0.74 0.08 H0.3 L0.26 0.44 C0.45 0.33 0.8 0.4 0.78 0.66 C0.75 0.98 0.34 0.96 0.2 0.78",   // 5
        "M0.26 0.08 H0.7 L0.74 0.44 C0.55 0.33 0.2 0.4 0.22 0.66 C0.25 0.98 0.66 0.96 0.8 0.78",   // 5 in the mirror
        "M0.15 0.95 L0.5 0.05 L0.85 0.95 M0.28 0.62 H0.72",                                         // A
        "M0.2 0.05 V0.95 M0.8 0.05 L0.2 0.55 M0.4 0.4 L0.8 0.95",                                   // K
        "M0.15 0.08 H0.85 M0.5 0.08 V0.95",                                                         // T
        "M0.62 0.95 V0.05 L0.18 0.66 H0.85",                                                        // 4
        "M0.22 0.05 V0.95 M0.22 0.08 H0.55 C0.85 0.08 0.85 0.5 0.55 0.5 H0.22",                     // P
    ];

    /// <summary>Half of them the first glyph, a quarter its mirror image, a quarter others, each turned by an angle of its own.</summary>
    /// <param name="range">Largest angle, either way, in degrees.</param>
    /// <returns>Pictures (N, 1, 24, 24), and 1 where it is the first glyph, else 0, (N), float32.</returns>
    public static (Tensor Images, Tensor IsFirst) Draw(int count, int range, int seed)
    {
        var dice = new Random(seed);
        var pixels = new float[count * Side * Side];
        var first = new float[count];
        for (var i = 0; i < count; i++)
        {
            var glyph = dice.Next(2) == 0 ? 0 : dice.Next(2) == 0 ? 1 : dice.Next(2, Outlines.Length);
            first[i] = glyph == 0 ? 1 : 0;
            Picture(glyph, range * ((2 * dice.NextSingle()) - 1), dice).CopyTo(pixels, i * Side * Side);
        }

        return (tensor(pixels, [count, 1, Side, Side]), tensor(first));
    }

    /// <summary>The first glyph turned by each of the angles, several times: shape (A·repeats, 1, 24, 24), angle after angle.</summary>
    /// <param name="angles">Degrees, counter-clockwise.</param>
    public static Tensor Turned(IReadOnlyList<double> angles, int repeats, int seed)
    {
        var dice = new Random(seed);
        var pixels = angles.SelectMany(angle => Enumerable.Range(0, repeats).SelectMany(_ => Picture(0, (float)angle, dice))).ToArray();
        return tensor(pixels, [angles.Count * repeats, 1, Side, Side]);
    }

    private static float[] Picture(int glyph, float angle, Random dice)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Side, Side, SKColorType.Gray8, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        using var path = SKPath.ParseSvgPathData(Outlines[glyph]);
        using var paint = new SKPaint
        {
            IsAntialias = true,
            Style = SKPaintStyle.Stroke,
            StrokeCap = SKStrokeCap.Round,
            StrokeWidth = 0.1f + (0.06f * dice.NextSingle()),
            Color = SKColors.White,
        };
        canvas.Clear(SKColors.Black);
        canvas.Translate((Side / 2f) + Offset(), (Side / 2f) + Offset());
        canvas.RotateDegrees(-angle);
        canvas.Scale(Size * (0.95f + (0.1f * dice.NextSingle())));
        canvas.Translate(-0.5f, -0.5f);
        canvas.DrawPath(path, paint);
        canvas.Flush();
        var values = new float[Side * Side];
        for (var i = 0; i < values.Length; i++)
        {
            var noise = dice.NextSingle() + dice.NextSingle() + dice.NextSingle() - 1.5f;   // of deviation ½
            values[i] = (bitmap.GetPixelSpan()[(i / Side * bitmap.RowBytes) + (i % Side)] / 255f) + (2 * Noise * noise);
        }

        return values;

        float Offset() => Jitter * ((2 * dice.NextSingle()) - 1);
    }
}
