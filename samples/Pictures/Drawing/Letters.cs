using SkiaSharp;

namespace OperatorPictures.Drawing;

/// <summary>Text in the sample's own fonts: the same on every machine, also on one without fonts.</summary>
internal static class Letters
{
    private static readonly SKTypeface Sans = Load("Sans.ttf");
    private static readonly SKTypeface Mono = Load("Mono.ttf");

    public static void Draw(SKCanvas canvas, string text, float x, float y, float size, SKColor color, SKTextAlign align = SKTextAlign.Left) =>
        Draw(canvas, Sans, text, x, y, size, color, align);

    public static void DrawCode(SKCanvas canvas, string text, float x, float y, float size, SKColor color) =>
        Draw(canvas, Mono, text, x, y, size, color, SKTextAlign.Left);

    /// <summary>The text, in lines that are no wider than this.</summary>
    public static IEnumerable<string> Wrap(string text, float size, float width)
    {
        using var font = new SKFont(Sans, size);
        var line = "";
        foreach (var word in text.Split(' '))
        {
            var longer = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length > 0 && font.MeasureText(longer) > width)
            {
                yield return line;
                longer = word;
            }

            line = longer;
        }

        yield return line;
    }

    /// <summary>The size, at most this one, at which the code is no wider than this.</summary>
    public static float Fit(string code, float size, float width)
    {
        using var font = new SKFont(Mono, size);
        return Math.Min(size, size * width / font.MeasureText(code));
    }

    private static void Draw(SKCanvas canvas, SKTypeface typeface, string text, float x, float y, float size, SKColor color, SKTextAlign align)
    {
        using var font = new SKFont(typeface, size) { Edging = SKFontEdging.Antialias, Hinting = SKFontHinting.None, Subpixel = true };
        if (text.FirstOrDefault(letter => font.GetGlyph(letter) == 0) is var missing and not '\0')
        {
            throw new InvalidOperationException($"the captions' font has no '{missing}'");
        }

        using var paint = new SKPaint { Color = color, IsAntialias = true };
        canvas.DrawText(text, x, y, align, font, paint);
    }

    private static SKTypeface Load(string name)
    {
        using var stream = typeof(Letters).Assembly.GetManifestResourceStream(name)!;
        using var data = SKData.Create(stream);
        return SKTypeface.FromData(data);
    }
}
