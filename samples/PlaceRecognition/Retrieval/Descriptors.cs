using PlaceRecognition.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>Computes descriptors of many pictures, in batches.</summary>
internal static class Descriptors
{
    public const int BatchSize = 32;

    /// <summary>Descriptors (pictures, length) by <paramref name="network"/>, without gradients.</summary>
    /// <exception cref="UserException">They are not finite, as after a training that diverged.</exception>
    public static Tensor Of(Func<Tensor, Tensor> network, Pictures pictures, Action<int>? onBatch = null, CancellationToken cancellation = default)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var indices in Enumerable.Range(0, pictures.Places.Count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            parts.Add(network(pictures.Batch(indices)).MoveToOuterDisposeScope());
            onBatch?.Invoke(indices.Length);
        }

        var descriptors = cat(parts);
        return descriptors.isfinite().all().ToBoolean()
            ? descriptors.MoveToOuterDisposeScope()
            : throw new UserException("the network gives descriptors that are not finite: train it with a lower --learning-rate");
    }
}
