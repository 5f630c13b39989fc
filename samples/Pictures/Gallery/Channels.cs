using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>Poolings across channels.</summary>
internal static class Channels
{
    private static readonly float[] Upright = [-1, -2, 0, 2, 1, -2, -4, 0, 4, 2, -3, -6, 0, 6, 3, -2, -4, 0, 4, 2, -1, -2, 0, 2, 1];
    private static readonly float[] Diagonal = [0, -1, -2, -2, 0, 1, 0, -4, -4, -2, 2, 4, 0, -4, -2, 2, 4, 4, 0, -1, 0, 2, 2, 1, 0];

    private const double Threshold = 0.03;   // noise stays below it

    public static IEnumerable<Illustration> All =>
    [
        new("Maxout", Group),
        new("ChannelMaxPool", Neighbors),
        new("RotationMaxConv2d", Turns),
    ];

    private static SKBitmap Group(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var maxout = new Maxout(pieces: 4);
        var (upright, diagonal) = (tensor(Upright).reshape(5, 5), tensor(Diagonal).reshape(5, 5));
        var filters = stack([upright, diagonal, upright.transpose(0, 1), diagonal.rot90()]).unsqueeze(1);
        var responses = (nn.functional.conv2d(Padded(photograph), filters) - 1).relu();
        var most = responses.max().ToDouble() / 2;
        var pieces = Figure.Blank("four filters of one group, each for edges of one direction");
        for (var i = 0; i < 4; i++)
        {
            pieces.Place(Pixels.Heat(responses[0, i], most), SKRect.Create(i % 2 * 122, i / 2 * 81, 118, 79)).Outline(SKRect.Create(i % 2 * 122, i / 2 * 81, 118, 79));
        }

        return Panel.Draw(
            "new Maxout(pieces: 4)", Figure.Of("the photograph, 240×160", photograph.Rgb), pieces,
            Figure.Of("the maximum of the group: edges of any of the four", Pixels.Heat(maxout.call(responses)[0, 0], most)));
    }

    private static SKBitmap Neighbors(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var pool = new ChannelMaxPool(kernel_size: 2);
        var map = Features.Of(photograph.Rgb);
        return Panel.Draw(
            "new ChannelMaxPool(kernel_size: 2)", Figure.Of("the photograph", photograph.Rgb), Tiles("a map of it with 8 channels", map, Features.Names),
            Tiles("the maxima of neighbouring channels: 4 channels are left", pool.call(map), ["bright, dark", "warm, cold", "green, upright", "level, spots"]));
    }

    private static SKBitmap Turns(Photograph photograph)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var pool = new RotationMaxConv2d(1, 1, kernel_size: 5);
        var filter = tensor(Upright).reshape(1, 1, 5, 5) / 30;
        pool.state_dict()["weight"].copy_(filter);
        pool.state_dict()["bias"].fill_(-Threshold);
        var one = nn.functional.conv2d(Padded(photograph), filter).sub(Threshold).relu();
        var all = pool.call(Padded(photograph)).relu();
        var shown = Figure.Of("the photograph, and the filter: dark left, light right", photograph.Rgb);
        shown.Place(Pixels.Heat(filter[0, 0], 0.2), SKRect.Create(8, 8, 40, 40)).Outline(SKRect.Create(8, 8, 40, 40));
        return Panel.Draw(
            "new RotationMaxConv2d(1, 1, kernel_size: 5)", shown,
            Figure.Of("the filter alone: edges of one direction", Pixels.Heat(one[0, 0], 0.4)),
            Figure.Of("the maximum over its four turns: edges of all four", Pixels.Heat(all[0, 0], 0.4)));
    }

    private static Tensor Padded(Photograph photograph) => nn.functional.pad(photograph.Grey, [2, 2, 2, 2], PaddingModes.Replicate);

    /// <summary>Channels that are pooled together stand beside each other: in a column of two, or behind one name.</summary>
    private static Figure Tiles(string caption, Tensor map, IReadOnlyList<string> names)
    {
        var figure = Figure.Blank(caption);
        var columns = names.Count / 2;
        var width = ((float)Figure.Width / columns) - 4;
        for (var channel = 0; channel < names.Count; channel++)
        {
            var (column, row) = columns == 2 ? (channel % 2, channel / 2) : (channel / 2, channel % 2);
            var target = SKRect.Create(column * (width + 4), row * 80 + 12 + ((68 - (width / 1.7f)) / 2), width, width / 1.7f);
            figure.Text(names[channel], target.Left, target.Top - 2, size: 9).Place((map.narrow(1, channel, 1) / map[0, channel].max()).sqrt(), target);
        }

        return figure;
    }
}
