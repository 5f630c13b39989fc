using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>The colours that all streets share; a street uses a few of each.</summary>
internal static class Palette
{
    internal static readonly SKColor[] Walls = Parse(
        "d9c7a3 c9a27a b56a4e a4523f e3dccb cfc4b4 b9b2a6 d8b46a e0c9b0 9c8f83 c98f73 aebdc0 bcc6a8 d6a59a e8dfb8 8f5a48");

    internal static readonly SKColor[] Trims = Parse("f0ece0 dcd3c0 c7b89b 8d8478 6c6259 b9a88c ffffff a89c92");

    internal static readonly SKColor[] Frames = Parse("f4f2ec e7e2d4 5b4636 2f3a3d 3f5a45 8a6a4a 70787c");

    internal static readonly SKColor[] Shutters = Parse("3f6b52 2f5573 7a3b32 8a6f4d 56707a a03c2e 4b4f54 7f8f5a");

    internal static readonly SKColor[] Vivid = Parse(
        "c0392b 1f6fb2 1e8449 d4a017 7d3c98 ca6f1e 148f8b 2c3e50 b03060 ffffff 3b3b3b e8d44d 5dade2 6e2c1b");

    internal static readonly SKColor[] Doors = Parse(
        "7a2e22 24465e 2d5a3a 5a3a22 2b2b2e 8c6b3f b08a2c 6b2d4f 3f7f86 9aa0a3 c4b59a 1b3a5c a8431f");

    internal static readonly SKColor[] Roofs = Parse("8a4b38 5a5d66 7b3f30 44474d 9a6248 6a6e60");

    internal static readonly SKColor[] Cars = Parse("e8e8ea 1c1d20 8b9095 b3bac0 9e1f1f 23406e 4d5358 c9b98f 2f5a45 d8dde0 b5651d");

    internal static readonly SKColor[] Clothes = Parse("22252b 35496b 7d2f2f 6b6f74 c2a77b e0ddd6 2f5b46 a4602c 513a5e b8b04a");

    internal static readonly SKColor[] Skin = Parse("e8c1a0 c98f68 8d5a3c f0d0b8 5f3c28");

    /// <summary>The colour, lighter (above one) or darker (below one).</summary>
    internal static SKColor Scale(this SKColor color, float factor) =>
        new(Channel(color.Red * factor), Channel(color.Green * factor), Channel(color.Blue * factor), color.Alpha);

    /// <summary>The colour, part of the way to another one.</summary>
    internal static SKColor Towards(this SKColor color, SKColor other, float part) => new(
        Channel(color.Red + (other.Red - color.Red) * part),
        Channel(color.Green + (other.Green - color.Green) * part),
        Channel(color.Blue + (other.Blue - color.Blue) * part),
        color.Alpha);

    internal static byte Channel(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);

    private static SKColor[] Parse(string colors) => [.. colors.Split(' ').Select(SKColor.Parse)];
}
