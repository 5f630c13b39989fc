using SkiaSharp;

namespace Distributed.Data;

/// <summary>
/// Drawn house fronts with the same parts, three floors of three windows, a door and a balcony: the class is where door and
/// balcony are. Colours, light, place, size, tilt, a tree in front and noise vary.
/// </summary>
internal static class HouseFronts
{
    public const int Side = 64;

    private static readonly string[] Columns = ["left", "middle", "right"];
    private static readonly (int Door, int Balcony)[] Classes = [(0, 0), (0, 2), (1, 0), (1, 2), (2, 0), (2, 2)];

    /// <summary>Writes FOLDER/{train,val}/CLASS/NUMBER.png, the same for the same seed.</summary>
    public static void Write(string folder, int trainPerClass, int valPerClass, int seed, CancellationToken cancellation = default)
    {
        Write(Path.Combine(folder, "train"), trainPerClass, new Random(2 * seed), cancellation);
        Write(Path.Combine(folder, "val"), valPerClass, new Random(2 * seed + 1), cancellation);
    }

    private static void Write(string folder, int perClass, Random random, CancellationToken cancellation)
    {
        foreach (var (door, balcony) in Classes)
        {
            var target = Directory.CreateDirectory(Path.Combine(folder, $"door-{Columns[door]}_balcony-{Columns[balcony]}")).FullName;
            for (var i = 0; i < perClass; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var bitmap = Draw(random, door, balcony);
                using var file = File.Create(Path.Combine(target, $"{i:000}.png"));
                bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
            }
        }
    }

    private static SKBitmap Draw(Random random, int door, int balcony)
    {
        var bitmap = new SKBitmap(Side, Side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        using var paint = new SKPaint { IsAntialias = true };
        canvas.Clear(Colour(180, 260, 20, 60, 60, 90));
        canvas.Translate(Between(2, 9), Between(2, 9));
        canvas.RotateDegrees(Between(-4, 4));
        canvas.Scale(Between(42, 54) / 12, Between(46, 56) / 12);   // a house is 12 wide and 12 high
        var (trim, glass) = (Colour(0, 60, 0, 40, 40, 90), Colour(190, 240, 5, 40, 10, 45));
        Fill(-4, 11.8f, 24, 10, Colour(0, 360, 0, 20, 25, 55));
        Fill(0, 0, 12, 12, Colour(0, 360, 10, 60, 35, 85));
        Fill(-0.4f, -0.5f, 12.8f, 0.9f, Colour(0, 30, 20, 60, 20, 45));
        for (var n = 0; n < 9; n++)
        {
            var (floor, column) = (n / 3, n % 3);
            if (floor == 2 && column == door)
            {
                Fill(4 * column + 1, 8.6f, 2, 3.4f, Colour(0, 360, 30, 80, 15, 45));
            }
            else
            {
                Fill(4 * column + 0.8f, 4 * floor + 1, 2.4f, 2.2f, trim);
                Fill(4 * column + 1.1f, 4 * floor + 1.3f, 1.8f, 1.6f, random.NextDouble() < 0.2 ? Colour(40, 55, 60, 90, 60, 80) : glass);
            }
        }

        var (left, railing) = (4 * balcony + 0.2f, Colour(0, 360, 0, 20, 10, 35));
        Fill(left, 7, 3.6f, 0.4f, railing);
        for (var bar = 0; bar < 7; bar++)
        {
            Fill(left + 0.55f * bar, 5.8f, 0.25f, 1.2f, railing);
        }

        paint.Color = Colour(80, 140, 20, 60, 20, 45);
        canvas.DrawCircle(Between(-2, 14), Between(10, 13), Between(0.8f, 1.6f), paint);
        Expose(bitmap, Between(0.6f, 1.2f), Between(-0.3f, 0.3f), Between(4, 16));
        return bitmap;

        float Between(float low, float high) => low + random.NextSingle() * (high - low);
        SKColor Colour(float hue, float hueTo, float saturation, float saturationTo, float light, float lightTo) =>
            SKColor.FromHsl(Between(hue, hueTo), Between(saturation, saturationTo), Between(light, lightTo));
        void Fill(float x, float y, float width, float height, SKColor colour)
        {
            paint.Color = colour;
            canvas.DrawRect(x, y, width, height, paint);
        }

        // Light that falls off to one side, and noise.
        void Expose(SKBitmap picture, float gain, float slope, float noise)
        {
            var bytes = picture.GetPixelSpan();
            for (var i = 0; i < bytes.Length; i++)
            {
                var light = gain * (1 + slope * (i / 4 % Side / (float)Side - 0.5f));
                bytes[i] = i % 4 == 3 ? (byte)255 : (byte)Math.Clamp(bytes[i] * light + Between(-noise, noise), 0, 255);
            }
        }
    }
}
