using PlaceRecognition.Report;
using PlaceRecognition.World;
using Spectre.Console;

namespace PlaceRecognition.Commands;

/// <summary>Tests an exported model on one split of a data set.</summary>
internal static class EvaluateCommand
{
    public static void Run(string model, string? folder, string split, bool skipUnreadable, CancellationToken cancellation)
    {
        using var network = new LoadedModel(model);
        var data = PictureLoader.Find(folder, skipUnreadable, WorldSize.Default, minimumSide: 1, [split]);
        var set = PictureLoader.Load(data, network.ImageSize, TorchSharp.torch.CPU, cancellation)[0];
        var recall = set.Evaluate(network.Describe, cancellation);
        AnsiConsole.Write(new Table().Title($"{split}: {set.Places.Queries.Count} queries, {set.Places.Database.Count} database pictures")
            .AddColumns("recall@1 / @5 / @10 (within 25 m)").AddRow(Summary.Recalls([.. recall.Curve])));
    }
}
