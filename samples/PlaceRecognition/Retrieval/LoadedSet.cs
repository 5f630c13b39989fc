using PlaceRecognition.Data;
using PlaceRecognition.Model;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>The pictures of one split, at the network's size.</summary>
internal sealed record LoadedSet(PlaceSet Places, Pictures Database, Pictures Queries)
{
    /// <summary>Recall as this pooling answers: by descriptors, and by patches after that where it looks twice; and the
    /// milliseconds of a query's second look.</summary>
    public (Recall Recall, double SecondLook) Evaluate(PlaceNetwork network, Pooling pooling, CancellationToken cancellation = default)
    {
        var first = Evaluate(network.call, cancellation);
        return pooling.LooksTwice ? PatchReranking.Of(network, this, first, cancellation) : (first, 0);
    }

    /// <summary>Recall of the descriptors that <paramref name="network"/> gives.</summary>
    public Recall Evaluate(Func<Tensor, Tensor> network, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        var queries = Descriptors.Of(network, Queries, cancellation: cancellation);
        var database = Descriptors.Of(network, Database, cancellation: cancellation);
        return Recall.Of(queries, database, Places.Queries, Places.Database);
    }
}
