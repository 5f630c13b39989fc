using System.Runtime.CompilerServices;
using OperatorPictures.Drawing;
using SkiaSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>A pooling of a whole map: where in the photograph the vector comes from, and the vector.</summary>
internal static class GlobalPanel
{
    private const int TileWidth = 57;
    private const int TileHeight = 38;

    /// <param name="make">Makes the module; its text is the panel's title.</param>
    /// <param name="place">What the first figure shows beside the photograph.</param>
    /// <param name="mark">Marks on the photograph.</param>
    /// <param name="call">What <paramref name="make"/> says.</param>
    public static SKBitmap Draw(
        Photograph photograph, Func<nn.Module<Tensor, Tensor>> make, string place = "where its values come from", Action<Figure>? mark = null,
        [CallerArgumentExpression(nameof(make))] string call = "")
    {
        using var scope = NewDisposeScope();
        using var module = make();
        var map = Features.Of(photograph.Rgb);
        var shares = Shares(module, map);
        var total = shares.mean([0]);
        var whole = nn.functional.interpolate(total.unsqueeze(0).unsqueeze(0), [Figure.Height, Figure.Width])[0, 0];
        var first = Figure.Of(place, Pixels.Weighted(photograph.Grey, whole.sqrt(), whole.max().sqrt().ToDouble()));
        mark?.Invoke(first);
        return Panel.Draw(Illustration.Code(call), first, Tiles(shares, map), Bars(module.call(map).flatten(), "the vector, a number for each channel"));
    }

    /// <summary>x·∂y/∂x of each channel, as shares that sum to 1 over the map, (C, H, W).</summary>
    public static Tensor Shares(nn.Module<Tensor, Tensor> module, Tensor map)
    {
        using var scope = NewDisposeScope();
        using var x = map.detach().clone().requires_grad_();
        var parts = (x * autograd.grad([module.call(x).sum()], [x])[0])[0].detach().clamp_min(0);
        return (parts / parts.sum([1, 2], keepdim: true)).MoveToOuterDisposeScope();
    }

    /// <summary>The channels, two rows of four, each with what it gives to the vector.</summary>
    public static Figure Tiles(Tensor shares, Tensor map)
    {
        var figure = Figure.Blank($"the {Features.Channels} channels of the map, {map.size(3)}×{map.size(2)}, and what each gives");
        for (var channel = 0; channel < Features.Channels; channel++)
        {
            var (left, top) = (channel % 4 * (TileWidth + 4), 18 + (channel / 4 * (TileHeight + 32)));
            var target = SKRect.Create(left, top + 13, TileWidth, TileHeight);
            figure.Text(Features.Names[channel], left, top + 10);
            figure.Place(Pixels.Weighted((map.narrow(1, channel, 1) / map[0, channel].max()).sqrt(), shares[channel].sqrt(), shares[channel].max().sqrt().ToDouble()), target);
        }

        return figure;
    }

    /// <summary>The vector's entries as bars; below 0 they go left.</summary>
    public static Figure Bars(Tensor values, string caption)
    {
        var figure = Figure.Blank(caption);
        var numbers = values.detach().to(ScalarType.Float32).data<float>().ToArray();
        var most = Math.Max(numbers.Max(Math.Abs), 1e-12f);
        var height = (float)Figure.Height / numbers.Length;
        for (var i = 0; i < numbers.Length; i++)
        {
            var middle = (i + 0.5f) * height;
            figure.Text(Features.Names[i], 44, middle + 4, SKTextAlign.Right);
            figure.Fill(SKRect.Create(50, middle - (0.3f * height), Math.Abs(numbers[i]) / most * (Figure.Width - 90), 0.6f * height), Figure.Orange);
            figure.Text(numbers[i].ToString("0.00", System.Globalization.CultureInfo.InvariantCulture), 55 + (Math.Abs(numbers[i]) / most * (Figure.Width - 90)), middle + 4);
        }

        return figure;
    }
}
