using System.Diagnostics;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>How long a network takes to describe pictures, in batches of 32: medians of nine, after three to warm up.</summary>
/// <param name="Network">Milliseconds a picture, from pixels to descriptor.</param>
/// <param name="Pooling">Those of them that the pooling takes, from the map to the descriptor.</param>
internal sealed record Speed(double Network, double Pooling)
{
    public static Speed Of(PlaceNetwork network, Pictures pictures)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var batch = pictures.Batch([.. Enumerable.Range(0, Descriptors.BatchSize).Select(i => i % pictures.Places.Count)]);
        var map = network.Features(batch);
        return new(Milliseconds(() => network.call(batch)), Milliseconds(() => network.Pool(map)));
    }

    private static double Milliseconds(Func<Tensor> describe)
    {
        var times = new double[9];
        for (var i = -3; i < times.Length; i++)
        {
            var clock = Stopwatch.StartNew();
            using var descriptors = describe();
            using var arrived = descriptors.cpu();
            times[Math.Max(i, 0)] = clock.Elapsed.TotalMilliseconds;
        }

        Array.Sort(times);
        return times[times.Length / 2] / Descriptors.BatchSize;
    }
}
