using Stability.Data;
using TorchPooling;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>What overlapping windows cost and keep.</summary>
/// <param name="Window">k of k×k.</param>
/// <param name="Outputs">Numbers for a picture.</param>
/// <param name="Milliseconds">A batch of maps, forward and backward, on the CPU; several times, or none.</param>
/// <param name="Pictures">The pictures, guessed linearly from their pooled values.</param>
/// <param name="Places">Where a spot is, guessed linearly from the pooled values; in pixels.</param>
internal sealed record Overlap(string Pooling, int Window, int Stride, long Outputs, IReadOnlyList<double> Milliseconds, Ridge Pictures, Ridge Places)
{
    public const string Max = "max";
    public const string Mean = "average";

    public const int Channels = 16;
    public const int Batch = 128;

    private const int Seed = 13;
    private const int Border = 4;         // no spot is nearer to it, pixels
    private const double SpotSize = 1.2;  // standard deviation, pixels
    private const double Noise = 0.02;
    private const int Rounds = 3;         // of timing, each a median

    public static IReadOnlyList<(int Window, int Stride)> Windows { get; } = [(2, 2), (3, 2), (4, 2), (3, 3), (4, 4)];

    private static readonly (string Name, Func<int, int, nn.Module<Tensor, Tensor>> Layer)[] Poolings =
    [
        (Max, (window, stride) => window > stride ? new OverlappingMaxPool2d(window, stride) : nn.MaxPool2d(window)),
        (Mean, (window, stride) => window > stride ? new OverlappingAvgPool2d(window, stride) : nn.AvgPool2d(window)),
    ];

    public bool Overlaps => Window > Stride;

    /// <summary>Values that the windows of a picture read.</summary>
    public long Reads => Outputs * Window * Window;

    /// <param name="pictures">To learn from, at most; a quarter as many to test.</param>
    /// <param name="quick">Takes no times.</param>
    public static List<Overlap> Measure(Source source, int pictures, bool quick)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(Seed);
        using var train = source.Train.First(pictures);
        using var test = source.Test.First(pictures / 4);
        var images = cat([train.Images, test.Images]);
        var (spots, places) = Spots(pictures + (pictures / 4), source.Side, generator);
        var maps = randn([Batch, Channels, source.Side, source.Side], generator: generator).requires_grad_();
        return [.. from pooling in Poolings from size in Windows select Of(pooling.Name, size.Window, size.Stride, pooling.Layer(size.Window, size.Stride))];

        Overlap Of(string name, int window, int stride, nn.Module<Tensor, Tensor> layer)
        {
            using var one = NewDisposeScope();
            var pooled = layer.call(images).detach();
            return new(
                name, window, stride, pooled.numel() / images.size(0), [.. Enumerable.Range(0, quick ? 0 : Rounds).Select(_ => 1000 * Seconds(layer, maps))],
                Ridge.Of(pooled, images, train.Count), Ridge.Of(layer.call(spots).detach(), places, pictures));
        }
    }

    /// <summary>Pictures (N, 1, S, S) of one spot each, and where it is, (N, 2).</summary>
    public static (Tensor Images, Tensor Places) Spots(long count, int side, Generator generator)
    {
        using var scope = NewDisposeScope();
        var places = (rand([count, 2], generator: generator) * (side - 1 - (2 * Border))) + Border;
        var axis = arange(side, dtype: ScalarType.Float32);
        var (down, across) = (Bell(0).unsqueeze(2), Bell(1).unsqueeze(1));
        var images = (down * across).unsqueeze(1) + (Noise * randn([count, 1, side, side], generator: generator));
        return (images.MoveToOuterDisposeScope(), places.MoveToOuterDisposeScope());

        Tensor Bell(int dimension) => ((axis - places.narrow(1, dimension, 1)).square() / (-2 * SpotSize * SpotSize)).exp();
    }

    private static double Seconds(nn.Module<Tensor, Tensor> layer, Tensor maps) => Timing.Median(() =>
    {
        using var step = NewDisposeScope();
        layer.call(maps).sum().backward();
    });
}
