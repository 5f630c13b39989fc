using OperatorPictures.Drawing;
using SkiaSharp;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace OperatorPictures.Gallery;

/// <summary>A pooling by clusters: which parts of the photograph the clusters take, and the vector, a row for each cluster.</summary>
internal static class ClusterPanel
{
    public const int Count = 6;

    private const float Chip = 14;

    /// <summary>The photograph's map as the layers take it, (1, 8, 40, 60).</summary>
    public static Tensor Map(Photograph photograph) => Features.Of(photograph.Rgb);

    /// <summary>The descriptors of a map, (M, D).</summary>
    public static Tensor Rows(Tensor map) => map.permute(0, 2, 3, 1).reshape(-1, map.size(1));

    public static SKColor Color(long cluster, long clusters) => cluster < clusters ? Features.Color((int)cluster, (int)clusters) : new SKColor(24, 24, 28);

    /// <summary>A layer of the family after its start by k-means.</summary>
    public static SKBitmap Draw(Photograph photograph, Func<ClusterPooling> make, string call, string assigned, string vector, long ghosts = 0, int parts = 1)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var layer = make();
        var map = Map(photograph);
        layer.Initialize(Rows(map), seed: 1);
        var values = layer.call(map).reshape(parts, -1, Features.Channels);
        return Panel.Draw(
            call, Shown(photograph), Assigned(assigned, photograph, layer.assignment(map)[0], ghosts), Strips(vector, values, Count));
    }

    public static Figure Shown(Photograph photograph) =>
        Figure.Of($"the photograph; its map has {Features.Channels} channels and 60×40 descriptors", photograph.Rgb);

    /// <summary>The grey photograph under the colours of the clusters that take it, (K, H, W); a surer share is stronger.</summary>
    public static Figure Assigned(string caption, Photograph photograph, Tensor assignment, long ghosts = 0) =>
        Figure.Of(caption, Colored(photograph.Grey, assignment, ghosts));

    public static Tensor Colored(Tensor grey, Tensor assignment, long ghosts)
    {
        using var scope = NewDisposeScope();
        var (share, cluster) = assignment.max(0);
        var clusters = assignment.size(0) - ghosts;
        var colors = tensor(Enumerable.Range(0, (int)assignment.size(0)).Select(k => Color(k, clusters))
            .SelectMany(color => new[] { color.Red / 255f, color.Green / 255f, color.Blue / 255f }).ToArray()).reshape(-1, 3);
        var painted = colors[cluster.flatten()].reshape(cluster.size(0), cluster.size(1), 3).permute(2, 0, 1).unsqueeze(0);
        var strength = Larger(share.unsqueeze(0).unsqueeze(0), grey).mul(0.75);
        var pale = 0.35 + (0.65 * grey);
        return (pale * (1 - strength) + Larger(painted, grey) * strength).MoveToOuterDisposeScope();
    }

    /// <summary>Values (P, K, D): P blocks of K rows, in the colours of the clusters, red above 0 and blue below.</summary>
    public static Figure Strips(string caption, Tensor values, long clusters, IReadOnlyList<string>? names = null)
    {
        names ??= Features.Names;
        var figure = Figure.Blank(caption);
        var (blocks, rows) = (values.size(0), values.size(1));
        var top = names.Count > 0 ? 12f : 0;
        var blockHeight = (Figure.Height - top - (6 * (blocks - 1))) / blocks;
        var most = values.abs().max().ToDouble();
        for (var block = 0; block < blocks; block++)
        {
            var y = top + (block * (blockHeight + 6));
            for (var k = 0; k < rows; k++)
            {
                figure.Fill(SKRect.Create(0, y + (k * blockHeight / rows), Chip - 3, (blockHeight / rows) - 1), Color(k, clusters));
            }

            figure.Place(Pixels.Heat(values[block], most), SKRect.Create(Chip, y, Figure.Width - Chip, blockHeight));
            figure.Outline(SKRect.Create(Chip, y, Figure.Width - Chip, blockHeight));
        }

        for (var d = 0; d < names.Count; d++)
        {
            figure.Text(names[d], Chip + ((d + 0.5f) * (Figure.Width - Chip) / names.Count), 9, SKTextAlign.Center, 7.5f);
        }

        return figure;
    }

    private static Tensor Larger(Tensor x, Tensor like) => nn.functional.interpolate(x, [like.size(2), like.size(3)]);
}
