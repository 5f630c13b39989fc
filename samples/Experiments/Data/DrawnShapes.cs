using SkiaSharp;
using static TorchSharp.torch;

namespace Experiments.Data;

/// <summary>Shapes and glyphs on cluttered ground, in ten classes, drawn in any size. A number of the stream is one scene, whatever the size.</summary>
internal static class DrawnShapes
{
    private const int Clutter = 14;   // strokes and dots at most, on the ground of a picture

    /// <summary>Names of the classes; the label is the index.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["disc", "ring", "square", "triangle", "cross", "star", "A", "K", "S", "5"];

    /// <summary>Scenes <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> − 1 of the stream that the seed begins.</summary>
    public static LabelledPictures Draw(long count, int size, int seed, long first = 0)
    {
        var pixels = new float[count * size * size];
        var labels = new long[count];
        Parallel.For(0, count, i =>
        {
            var rng = Rng(seed, first + i);
            labels[i] = rng.Next(Classes.Count);
            var (left, top, side) = Place(rng);
            using var canvas = new Canvas(size, size, size);
            Ground(canvas, rng, 1, 1);
            Object(canvas, rng, (int)labels[i], left, top, side);
            canvas.Pixels(rng).CopyTo(pixels, i * size * size);
        });
        return new(tensor(pixels, [count, 1, size, size]), tensor(labels), Classes);
    }

    /// <summary>A wide scene with several objects, as (1, 1, height, width), and where each is, in its pixels.</summary>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="unit">The side of a picture of <see cref="Draw"/> at this scale.</param>
    /// <param name="objects">How many, fewer where no more find room.</param>
    /// <param name="seed">Of the scene.</param>
    public static (Tensor Image, IReadOnlyList<(int Label, double Left, double Top, double Right, double Bottom)> Objects) Scene(
        int height, int width, int unit, int objects, int seed)
    {
        var rng = Rng(seed, -1);
        using var canvas = new Canvas(height, width, unit);
        var (across, down) = ((float)width / unit, (float)height / unit);
        Ground(canvas, rng, across, down);
        var placed = new List<(int Label, double Left, double Top, double Right, double Bottom)>();
        for (var attempt = 0; placed.Count < objects && attempt < 50 * objects; attempt++)
        {
            var (x, y) = ((float)rng.NextDouble() * (across - 1), (float)rng.NextDouble() * (down - 1));
            if (placed.Any(other => Math.Abs((other.Left + other.Right) / 2 / unit - x - 0.5) < 1 && Math.Abs((other.Top + other.Bottom) / 2 / unit - y - 0.5) < 1))
            {
                continue;
            }

            var label = rng.Next(Classes.Count);
            var (left, top, side) = Place(rng);
            Object(canvas, rng, label, x + left, y + top, side);
            placed.Add((label, unit * (x + left), unit * (y + top), unit * (x + left + side), unit * (y + top + side)));
        }

        return (tensor(canvas.Pixels(rng), [1, 1, height, width]), placed);
    }

    /// <summary>Cluttered ground alone, as (1, 1, height, width).</summary>
    public static Tensor Ground(int height, int width, int unit, int seed)
    {
        var rng = Rng(seed, -2);
        using var canvas = new Canvas(height, width, unit);
        Ground(canvas, rng, (float)width / unit, (float)height / unit);
        return tensor(canvas.Pixels(rng), [1, 1, height, width]);
    }

    /// <summary>Draws that depend on the seed and the number alone.</summary>
    private static Random Rng(int seed, long number)
    {
        var mixed = (ulong)number * 0x9e3779b97f4a7c15 ^ ((ulong)(uint)seed << 32);   // neighbouring numbers and seeds lie far apart
        mixed = (mixed ^ (mixed >> 31)) * 0xbf58476d1ce4e5b9;
        return new((int)(mixed >> 33));
    }

    /// <summary>A square of half to four fifths of a picture, somewhere in it; in sides of the picture.</summary>
    private static (float Left, float Top, float Side) Place(Random rng)
    {
        var side = 0.5f + (0.3f * rng.NextSingle());
        return (rng.NextSingle() * (1 - side), rng.NextSingle() * (1 - side), side);
    }

    /// <summary>A slope of grey, strokes and dots.</summary>
    private static void Ground(Canvas canvas, Random rng, float width, float height)
    {
        canvas.Grey = 0.25f + (0.4f * rng.NextSingle());
        canvas.Slope(canvas.Grey, Math.Clamp(canvas.Grey + (0.3f * (rng.NextSingle() - 0.5f)), 0, 1), rng.NextSingle() * MathF.Tau, width, height);
        for (var i = rng.Next((int)(Clutter * width * height) + 1); i > 0; i--)
        {
            Stroke(canvas, rng, 0, 0, width, height);
        }
    }

    /// <summary>One shape, turned by up to 25 degrees, lighter or darker than the ground, with up to two strokes over it.</summary>
    private static void Object(Canvas canvas, Random rng, int label, float left, float top, float side)
    {
        var contrast = 0.18f + (0.22f * rng.NextSingle());
        var lighter = canvas.Grey + contrast <= 1 && (canvas.Grey - contrast < 0 || rng.Next(2) == 0);
        var grey = Math.Clamp(canvas.Grey + (lighter ? contrast : -contrast), 0, 1);
        using var path = Outline(label);
        var turn = (rng.NextSingle() - 0.5f) * 50;
        var placed = SKMatrix.CreateRotationDegrees(turn, 0.5f, 0.5f)
            .PostConcat(SKMatrix.CreateScale(side, side)).PostConcat(SKMatrix.CreateTranslation(left, top));
        path.Transform(placed);
        if (label is 0 or 2 or 3 or 5)
        {
            canvas.Fill(path, grey);
        }
        else
        {
            canvas.Stroke(path, side * (0.1f + (0.06f * rng.NextSingle())), grey);
        }

        for (var i = rng.Next(3); i > 0; i--)
        {
            Stroke(canvas, rng, left, top, side, side);
        }
    }

    /// <summary>A short stroke that begins in a rectangle.</summary>
    private static void Stroke(Canvas canvas, Random rng, float left, float top, float width, float height)
    {
        var grey = Math.Clamp(canvas.Grey + (0.8f * (rng.NextSingle() - 0.5f)), 0, 1);
        var (x, y) = (left + (rng.NextSingle() * width), top + (rng.NextSingle() * height));
        var (angle, length) = (rng.NextSingle() * MathF.Tau, 0.05f + (0.35f * rng.NextSingle()));
        using var path = new SKPath();
        path.MoveTo(x, y);
        path.LineTo(x + (length * MathF.Cos(angle)), y + (length * MathF.Sin(angle)));
        canvas.Stroke(path, 0.02f + (0.05f * rng.NextSingle()), grey);
    }

    /// <summary>The shape in the unit square, y downwards; with room around it for its stroke and its turn.</summary>
    private static SKPath Outline(int label) => SKPath.ParseSvgPathData(label switch
    {
        0 or 1 => "M0.5 0.12 A0.38 0.38 0 1 1 0.499 0.12 Z",
        2 => "M0.2 0.2 H0.8 V0.8 H0.2 Z",
        3 => "M0.5 0.12 L0.88 0.8 H0.12 Z",
        4 => "M0.5 0.12 V0.88 M0.12 0.5 H0.88",
        5 => "M0.5 0.08 L0.6 0.38 L0.92 0.38 L0.66 0.57 L0.76 0.88 L0.5 0.69 L0.24 0.88 L0.34 0.57 L0.08 0.38 L0.4 0.38 Z",
        6 => "M0.18 0.85 L0.5 0.15 L0.82 0.85 M0.3 0.6 H0.7",
        7 => "M0.25 0.15 V0.85 M0.78 0.15 L0.25 0.55 M0.42 0.44 L0.78 0.85",
        8 => "M0.76 0.26 C0.66 0.08 0.26 0.1 0.27 0.32 C0.28 0.52 0.74 0.46 0.74 0.68 C0.74 0.92 0.32 0.9 0.22 0.72",
        _ => "M0.74 0.15 H0.32 L0.28 0.46 C0.45 0.36 0.78 0.42 0.76 0.64 C0.74 0.9 0.36 0.9 0.24 0.74",
    }) ?? throw new InvalidOperationException($"the outline of {Classes[label]} is no path");
}
