using PlaceRecognition.Data;
using PlaceRecognition.Report;
using PlaceRecognition.World;
using SkiaSharp;
using Spectre.Console;

namespace PlaceRecognition.Commands;

/// <summary>Writes the drawn streets as image files, in the layout that <c>--data</c> takes.</summary>
internal static class RenderCommand
{
    private const int Quality = 92;

    public static void Run(string output, ImageSize size, bool quick, CancellationToken cancellation)
    {
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
        {
            throw new UserException($"--out: {output} is not empty");
        }

        var data = PictureLoader.Find(null, false, quick ? WorldSize.Quick : WorldSize.Default, 1, ["train", "val", "test"]);
        var files = data.SelectMany(set => set.Database.Select(place => (Path.Combine("images", set.Name, "database", place.Name), place))
            .Concat(set.Queries.Select(place => (Path.Combine("images", set.Name, "queries", place.Name), place)))).ToList();
        var partial = output.TrimEnd('/', '\\') + ".partial";
        try
        {
            AnsiConsole.Progress().Start(context =>
            {
                var task = context.AddTask("pictures", maxValue: files.Count);
                foreach (var folder in files.Select(file => Path.GetDirectoryName(file.Item1)!).Distinct())
                {
                    Directory.CreateDirectory(Path.Combine(partial, folder));
                }

                Parallel.ForEach(files, new ParallelOptions { CancellationToken = cancellation }, file =>
                {
                    using var bitmap = Pixels.Draw(file.place, size.Width, size.Height);
                    using var jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, Quality);
                    using var stream = File.Create(Path.Combine(partial, file.Item1));
                    jpeg.SaveTo(stream);
                    task.Increment(1);
                });
            });
            if (Directory.Exists(output))
            {
                Directory.Delete(output);
            }

            Directory.Move(partial, output);
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }

        AnsiConsole.MarkupLineInterpolated($"{files.Count} pictures in {output}");
    }
}
