using PlaceRecognition.Report;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>Tests an exported model on one split of a data set.</summary>
internal static class EvaluateCommand
{
    public static void Run(string model, string? folder, string split, bool skipUnreadable, bool quick, bool hardQueries, CancellationToken cancellation)
    {
        using var network = new LoadedModel(model);
        var places = PictureLoader.Find(folder, skipUnreadable, quick, hardQueries, [split], cancellation);
        var set = PictureLoader.Load(places, network.ImageSize, CPU, cancellation)[0];
        var recall = set.Evaluate(network.Describe, cancellation);
        Console.WriteLine($"{split}: {set.Places.Queries.Count} queries, {set.Places.Database.Count} database pictures");
        Console.WriteLine($"recall@1 / 5 / 10 within {Retrieval.Recall.Radius} m: {Summary.Recalls(recall.Curve)}");
    }
}
