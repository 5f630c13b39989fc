using PlaceRecognition.Data;
using PlaceRecognition.Model;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>How long a network takes to describe pictures, in batches of 32.</summary>
/// <param name="Network">Milliseconds a picture, from pixels to descriptor.</param>
/// <param name="Pooling">Those of them that the pooling takes, from the map to the descriptor.</param>
/// <param name="SecondLook">Milliseconds in which a query's second look computes and compares patches; 0 where there is none.</param>
internal sealed record Speed(double Network, double Pooling, double SecondLook)
{
    public static Speed Of(PlaceNetwork network, Pictures pictures, double secondLook)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var batch = pictures.Batch([.. Enumerable.Range(0, Descriptors.BatchSize).Select(i => i % pictures.Places.Count)]);
        var map = network.Features(batch);
        return new(Milliseconds(() => network.call(batch)), Milliseconds(() => network.Pool(map)), secondLook);
    }

    private static double Milliseconds(Func<Tensor> describe) => 1000 / (double)Descriptors.BatchSize * Timing.Median(() =>
    {
        using var scope = NewDisposeScope();
        describe().cpu();
    });
}
