using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>What a small camera does to an image: exposure, contrast, colour balance, blur, vignette and noise.</summary>
internal sealed record Sensor(float Gain, float Contrast, float Warmth, float Blur, float Noise, int Seed)
{
    /// <summary>A sensor whose faults grow with <paramref name="strength"/>.</summary>
    internal static Sensor Draw(Dice dice, float strength) => new(
        Gain: 1 + strength * dice.Range(-0.18f, 0.18f),
        Contrast: 1 + strength * dice.Range(-0.15f, 0.2f),
        Warmth: strength * dice.Range(-0.05f, 0.05f),
        Blur: strength * Math.Max(0, dice.Range(-0.25f, 0.3f)),
        Noise: strength * dice.Range(1, 4.5f),
        dice.Seed());

    /// <summary>Reduces a scene of twice the size to an RGBA8888 bitmap, as this sensor sees it.</summary>
    internal void Expose(SKBitmap scene, SKBitmap target)
    {
        var source = scene.GetPixelSpan();
        var flip = scene.ColorType == SKColorType.Bgra8888 ? 2 : 0;
        var (width, height) = (target.Width, target.Height);
        var rows = target.GetPixelSpan();
        var state = (uint)Seed | 1;
        for (var y = 0; y < height; y++)
        {
            var row = rows.Slice(y * target.RowBytes, width * 4);
            for (var x = 0; x < width; x++)
            {
                Pixel(source, width, height, x, y, row.Slice(x * 4, 4), flip, ref state);
            }
        }
    }

    private void Pixel(
        ReadOnlySpan<byte> source, int width, int height, int x, int y, Span<byte> target, int flip, ref uint state)
    {
        var dx = 2f * x / width - 1;
        var dy = 2f * y / height - 1;
        var gain = Gain * (1 - 0.08f * (dx * dx + dy * dy));
        var grain = Noise * Gauss(ref state);
        for (var channel = 0; channel < 3; channel++)
        {
            var value = Sample(source, width, height, x, y, Math.Abs(flip - channel)) * gain * (1 + Warmth * (1 - channel));
            value = (value - 118) * Contrast + 118 + grain + 0.4f * Noise * Gauss(ref state);
            target[channel] = Palette.Channel(value);
        }

        target[3] = 255;
    }

    private float Sample(ReadOnlySpan<byte> source, int width, int height, int x, int y, int channel)
    {
        var stride = width * 8;
        var at = 2 * y * stride + 8 * x + channel;
        var sharp = Block(source, at, stride);
        if (Blur == 0 || x == 0 || y == 0 || x == width - 1 || y == height - 1)
        {
            return sharp;
        }

        var around = Block(source, at - 8, stride) + Block(source, at + 8, stride)
            + Block(source, at - 2 * stride, stride) + Block(source, at + 2 * stride, stride);
        return sharp + Blur * (around / 4 - sharp);
    }

    private static float Block(ReadOnlySpan<byte> source, int at, int stride) =>
        (source[at] + source[at + 4] + source[at + stride] + source[at + stride + 4]) / 4f;

    /// <summary>About normal: the sum of the four bytes of an xorshift draw.</summary>
    private static float Gauss(ref uint state)
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        var sum = (state & 255) + ((state >> 8) & 255) + ((state >> 16) & 255) + (state >> 24);
        return ((int)sum - 510) / 148f;
    }
}
