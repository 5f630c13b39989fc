using PlaceRecognition.Data;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>The pictures of one split, at the network's size.</summary>
internal sealed record LoadedSet(PlaceSet Places, Pictures Database, Pictures Queries)
{
    /// <summary>Recall of the descriptors that <paramref name="network"/> gives.</summary>
    public Recall Evaluate(Func<Tensor, Tensor> network, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        var queries = Descriptors.Of(network, Queries, cancellation: cancellation);
        var database = Descriptors.Of(network, Database, cancellation: cancellation);
        return Recall.Of(queries, database, Places.Queries, Places.Database);
    }
}
