using PlaceRecognition.Data;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using SkiaSharp;
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

        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(output))))
        {
            throw new UserException($"--out: no folder for {output}");
        }

        using var network = new LoadedModel(model);
        using var scope = NewDisposeScope();
        var query = PhotoFolder.ReadOne(image);
        var photos = new PhotoFolder(skipUnreadable, cancellation);
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

        Console.WriteLine("     distance         east        north  picture");
        foreach (var (number, rank) in nearest.Select((number, i) => (number, i + 1)))
        {
            var place = places[number];
            Console.WriteLine(FormattableString.Invariant($"{rank,3}. {distances[number],8:0.000} {place.East,12:0.00} {place.North,12:0.00}  {Path.GetFileName(place.Name)}"));
        }

        using var strip = Gallery.Strip(query, [.. nearest.Select(number => places[number])], network.ImageSize);
        using var png = strip.Encode(SKEncodedImageFormat.Png, 100);
        WholeFile.Write(output, png.SaveTo);
        Console.WriteLine($"{output} shows them.");
    }
}
