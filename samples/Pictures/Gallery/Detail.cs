using OperatorPictures.Drawing;
using SkiaSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>A part of the photograph that is shown enlarged: a balcony and windows, with edges, small bright details and flat regions.</summary>
internal static class Detail
{
    public const int Zoom = 5;

    private const int Left = 128;
    private const int Top = 24;
    private const int Width = Figure.Width / Zoom;
    private const int Height = Figure.Height / Zoom;

    public static SKRect Frame => SKRect.Create(Left, Top, Width, Height);

    /// <summary>The detail of a map (N, C, H, W) in which one position stands for so many pixels of the photograph a side.</summary>
    public static Tensor Of(Tensor x, int cell = 1) =>
        x.narrow(2, Top / cell, Height / cell).narrow(3, Left / cell, Width / cell);
}
