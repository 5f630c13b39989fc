using System.Globalization;
using PlaceRecognition.Data;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using SkiaSharp;
using Spectre.Console;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>Where was this picture taken? The nearest pictures of a folder, by an exported model.</summary>
internal static class QueryCommand
{
    public static void Run(string model, string database, string image, string output, int top, bool skipUnreadable, CancellationToken cancellation)
    {
        if (top < 1)
        {
            throw new UserException($"--top: expected 1 or more, got {top}");
        }

        using var network = new LoadedModel(model);
        using var scope = NewDisposeScope();
        var photos = new PhotoFolder(skipUnreadable, minimumSide: 1);
        var query = photos.ReadOne(image);
        var places = photos.ReadFolder(database);
        PictureLoader.ReportSkipped(photos);
        if (places.Count == 0)
        {
            throw new UserException($"--database: no pictures in {database}");
        }

        var asked = Descriptors.Of(network.Describe, new Pictures([query], network.ImageSize), cancellation: cancellation);
        var known = Descriptors.Of(network.Describe, new Pictures(places, network.ImageSize, cancellation: cancellation), cancellation: cancellation);
        var nearest = Recall.NearestOf(asked, known, Math.Min(top, places.Count))[0];
        var distances = (2 - 2 * known.matmul(asked[0])).clamp_min(0).sqrt().data<float>().ToArray();

        var table = new Table().AddColumns("", "descriptor distance", "east", "north", "picture");
        foreach (var (number, rank) in nearest.Select((number, i) => (number, i + 1)))
        {
            var place = places[number];
            table.AddRow(
                Text($"{rank}"), Text($"{distances[number]:0.000}"), Text($"{place.East:0.00}"), Text($"{place.North:0.00}"), Markup.Escape(Path.GetFileName(place.Name)));
        }

        AnsiConsole.Write(table);
        using var strip = Gallery.Strip(query, [.. nearest.Select(number => places[number])], network.ImageSize);
        using var png = strip.Encode(SKEncodedImageFormat.Png, 100);
        WholeFile.Write(output, png.SaveTo);
        AnsiConsole.MarkupLineInterpolated($"{output} shows them.");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
