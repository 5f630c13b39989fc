using PlaceRecognition.Data;
using SkiaSharp;

namespace PlaceRecognition.Commands;

/// <summary>Writes the drawn streets as image files, in the layout that <c>--data</c> takes.</summary>
internal static class RenderCommand
{
    private const int Quality = 92;

    public static void Run(string output, ImageSize size, bool quick, bool hardQueries, CancellationToken cancellation)
    {
        if (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any()))
        {
            throw new UserException($"--out: {output} is a file or a folder that is not empty");
        }

        var sets = PictureLoader.Find(null, false, quick, hardQueries, ["train", "val", "test"], cancellation);
        var files = sets.SelectMany(set => set.Database.Select(place => (Path: Path.Combine("images", set.Name, "database", place.Name), place))
            .Concat(set.Queries.Select(place => (Path: Path.Combine("images", set.Name, "queries", place.Name), place)))).ToList();

        // Drawn beside the target, which gets its name when it is whole.
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var partial = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetRandomFileName()}");
        try
        {
            Terminal.Track($"{files.Count} pictures", files.Count, (advance, _) => Draw(files, partial, size, () => advance(1), cancellation));
            if (Directory.Exists(target))
            {
                Directory.Delete(target);
            }

            Directory.Move(partial, target);
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }

        Console.WriteLine($"{files.Count} pictures in {output}");
    }

    private static void Draw(List<(string Path, Place Place)> files, string folder, ImageSize size, Action onDrawn, CancellationToken cancellation)
    {
        foreach (var part in files.Select(file => Path.GetDirectoryName(file.Path)!).Distinct())
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
        }

        Parallel.ForEach(files, new ParallelOptions { CancellationToken = cancellation }, file =>
        {
            using var bitmap = file.Place.Picture(size.Width, size.Height);
            using var jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, Quality);
            using var stream = File.Create(Path.Combine(folder, file.Path));
            jpeg.SaveTo(stream);
            onDrawn();
        });
    }
}
