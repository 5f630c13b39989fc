using PlaceRecognition.Data;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using SkiaSharp;
using TorchPooling;
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
        var (squares, indices) = NearestNeighbors.Find(asked, known, Math.Min(top, places.Count));
        var distances = squares.sqrt().data<float>().ToArray();
        var nearest = Array.ConvertAll(indices.data<long>().ToArray(), number => places[(int)number]);

        Console.WriteLine("     distance         east        north  picture");
        foreach (var (place, i) in nearest.Select((place, i) => (place, i)))
        {
            Console.WriteLine(FormattableString.Invariant($"{i + 1,3}. {distances[i],8:0.000} {place.East,12:0.00} {place.North,12:0.00}  {Path.GetFileName(place.Name)}"));
        }

        using var strip = Gallery.Strip(query, nearest, network.ImageSize);
        using var png = strip.Encode(SKEncodedImageFormat.Png, 100);
        WholeFile.Write(output, png.SaveTo);
        Console.WriteLine($"{output} shows them.");
    }
}
