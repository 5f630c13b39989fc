using SkiaSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures;

/// <summary>What stands for a network's feature map where an operator needs one: eight simple filters, ReLU, and the mean of 4×4 pixels.</summary>
internal static class Features
{
    public const int Channels = 8;
    public const int Cell = 4;   // photograph pixels a side

    public static IReadOnlyList<string> Names { get; } = ["bright", "dark", "warm", "cold", "green", "upright", "level", "spots"];

    /// <summary>A colour for each channel.</summary>
    public static SKColor Color(int channel, int count = Channels) => SKColor.FromHsv(360f * channel / count, 78, channel % 2 == 0 ? 82 : 62);

    /// <summary>(1, 8, H/4, W/4) of a picture (1, 3, H, W); each channel's values spread alike.</summary>
    public static Tensor Of(Tensor rgb)
    {
        using var scope = NewDisposeScope();
        var (red, green, blue) = (rgb.narrow(1, 0, 1), rgb.narrow(1, 1, 1), rgb.narrow(1, 2, 1));
        var grey = rgb.mean([1], keepdim: true);
        var x = cat([grey - 0.5, 0.5 - grey, red - blue - 0.1, blue - red, green - ((red + blue) / 2), Edges(grey, true), Edges(grey, false), Spots(grey)], 1).relu();
        var map = nn.functional.avg_pool2d(x, Cell);
        return (map / (5 * map.std([2, 3], keepdim: true))).MoveToOuterDisposeScope();
    }

    private static Tensor Edges(Tensor grey, bool upright)
    {
        var sobel = tensor(new float[] { -1, 0, 1, -2, 0, 2, -1, 0, 1 }).reshape(1, 1, 3, 3);
        return Filter(grey, upright ? sobel : sobel.transpose(2, 3)).abs() - 0.2;
    }

    private static Tensor Spots(Tensor grey) =>
        Filter(grey, tensor(new float[] { -1, -1, -1, -1, 8, -1, -1, -1, -1 }).reshape(1, 1, 3, 3)).abs() - 0.3;

    private static Tensor Filter(Tensor grey, Tensor kernel) =>
        nn.functional.conv2d(nn.functional.pad(grey, [1, 1, 1, 1], PaddingModes.Replicate), kernel);
}
