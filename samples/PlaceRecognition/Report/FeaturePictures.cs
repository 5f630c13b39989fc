using PlaceRecognition.Data;
using PlaceRecognition.Model;
using SkiaSharp;
using TorchPooling;
using static TorchSharp.torch;

namespace PlaceRecognition.Report;

/// <summary>What the poolings do, drawn over an image.</summary>
internal static class FeaturePictures
{
    private const int Scale = 3;

    /// <summary>The n × n bins of one level, and in each the place of the largest response of the map's strongest channel.</summary>
    public static SKBitmap Bins(PlaceNetwork network, Place place, ImageSize size, int n)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var map = network.Features(new Pictures([place], size).Batch([0]).to(network.parameters().First().device)).cpu()[0];
        var channel = map[map.amax([1, 2]).argmax().item<long>()];
        var values = channel.contiguous().data<float>().ToArray();
        var (rows, columns) = ((int)channel.size(0), (int)channel.size(1));

        var bitmap = place.Picture(size.Width * Scale, size.Height * Scale);
        using var canvas = new SKCanvas(bitmap);
        using var line = new SKPaint { Color = SKColors.Yellow, StrokeWidth = 2, IsStroke = true, IsAntialias = true };
        using var dot = new SKPaint { Color = SKColors.Red, IsAntialias = true };
        var (cellWidth, cellHeight) = ((float)bitmap.Width / columns, (float)bitmap.Height / rows);
        for (var bin = 0; bin < n * n; bin++)
        {
            var (top, bottom) = Span(bin / n, rows, n);
            var (left, right) = Span(bin % n, columns, n);
            canvas.DrawRect(new SKRect(left * cellWidth, top * cellHeight, right * cellWidth, bottom * cellHeight), line);
            var (row, column) = Enumerable.Range(top, bottom - top).SelectMany(i => Enumerable.Range(left, right - left).Select(j => (i, j)))
                .MaxBy(position => values[position.i * columns + position.j]);
            canvas.DrawCircle((column + 0.5f) * cellWidth, (row + 0.5f) * cellHeight, 5, dot);
        }

        return bitmap;
    }

    /// <summary>The image under the colours of the clusters that NetVLAD assigns its parts to; surer is stronger.</summary>
    public static SKBitmap Assignment(PlaceNetwork network, ClusterPooling layer, Place place, ImageSize size)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var twice = new ImageSize(size.Height * 2, size.Width * 2);   // a finer map: the network takes any size
        var map = network.Features(new Pictures([place], twice).Batch([0]).to(network.parameters().First().device));
        var assignment = layer.assignment(map)[0].cpu();
        var (shares, clusters) = assignment.max(0);
        var (share, cluster) = (shares.data<float>().ToArray(), clusters.data<long>().ToArray());
        var (rows, columns) = ((int)shares.size(0), (int)shares.size(1));

        var bitmap = place.Picture(size.Width * Scale, size.Height * Scale);
        using var canvas = new SKCanvas(bitmap);
        var (width, height) = ((float)bitmap.Width / columns, (float)bitmap.Height / rows);
        for (var i = 0; i < share.Length; i++)
        {
            var color = SKColor.FromHsv(360f * cluster[i] / assignment.size(0), 90, 95).WithAlpha((byte)(40 + 140 * share[i]));
            using var paint = new SKPaint { Color = color };
            canvas.DrawRect(i % columns * width, i / columns * height, width, height, paint);
        }

        return bitmap;
    }

    /// <summary>The image, darkened where ghost clusters take its descriptors.</summary>
    public static SKBitmap Ghosts(PlaceNetwork network, GhostVLAD layer, Place place, ImageSize size)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var map = network.Features(new Pictures([place], size).Batch([0]).to(network.parameters().First().device));
        var clusters = layer.output_length / map.size(1);
        var assignment = layer.assignment(map)[0];
        var ghosts = assignment.narrow(0, clusters, assignment.size(0) - clusters).sum([0]).cpu();
        var (rows, columns) = ((int)ghosts.size(0), (int)ghosts.size(1));
        var share = ghosts.contiguous().data<float>().ToArray();

        var bitmap = place.Picture(size.Width * 2, size.Height * 2);
        using var canvas = new SKCanvas(bitmap);
        var (width, height) = ((float)bitmap.Width / columns, (float)bitmap.Height / rows);
        for (var i = 0; i < share.Length; i++)
        {
            using var paint = new SKPaint { Color = SKColors.Black.WithAlpha((byte)Math.Round(255 * Math.Clamp(share[i], 0, 1))) };
            canvas.DrawRect(i % columns * width, i / columns * height, width, height, paint);
        }

        return bitmap;
    }

    /// <summary>Bin i of n over a side of length a.</summary>
    private static (int Start, int End) Span(int i, int a, int n) => (i * a / n, ((i + 1) * a + n - 1) / n);
}
