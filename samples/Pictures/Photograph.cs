using OperatorPictures.Drawing;
using PlaceRecognition.World;
using SkiaSharp;
using static TorchSharp.torch;

namespace OperatorPictures;

/// <summary>The picture that every operator is shown on: a street of the place recognition sample, on a clear day.</summary>
internal sealed class Photograph : IDisposable
{
    public const int Width = 240;
    public const int Height = 160;

    /// <summary>The box around the red car.</summary>
    public static readonly SKRect Car = new(98, 93, 188, 132);

    // A view along a street with sky, gables, windows, a red car and a zebra crossing.
    private const int WorldSeed = 4;
    private const int ViewNumber = 106;
    private const double Turn = -45;   // degrees, from the façades towards the end of the street

    public Photograph()
    {
        var world = new StreetWorld(WorldSeed, WorldSize.Quick);
        var view = world.Views[ViewNumber];
        using var bitmap = new SKBitmap(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        world.Render(view with { IsQuery = false, Heading = view.Heading + Turn }, bitmap);
        Rgb = Pixels.Tensor(bitmap);
        Grey = Rgb.mean([1], keepdim: true);
    }

    /// <summary>(1, 3, 160, 240), 0 … 1.</summary>
    public Tensor Rgb { get; }

    /// <summary>(1, 1, 160, 240), 0 … 1.</summary>
    public Tensor Grey { get; }

    public void Dispose()
    {
        Rgb.Dispose();
        Grey.Dispose();
    }
}
