using PlaceRecognition.Data;
using PlaceRecognition.Training;
using PlaceRecognition.World;
using Spectre.Console;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>Finds the pictures, then reads or draws them with a progress bar.</summary>
internal static class PictureLoader
{
    private const int StreetSeed = 1;

    /// <summary>These splits of the photographs below <paramref name="folder"/>, or of the drawn streets where it is null.</summary>
    public static PlaceSet[] Find(string? folder, bool skipUnreadable, WorldSize size, int minimumSide, string[] splits)
    {
        if (folder is null)
        {
            return StreetData.Create(StreetSeed, size, splits);
        }

        var photos = new PhotoFolder(skipUnreadable, minimumSide);
        var sets = Array.ConvertAll(splits, split => photos.ReadSplit(folder, split));
        ReportSkipped(photos);
        return sets;
    }

    public static void ReportSkipped(PhotoFolder photos)
    {
        if (photos.Skipped > 0)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]{photos.Skipped} unreadable or misnamed files left out[/]");
        }
    }

    public static LoadedSet[] Load(PlaceSet[] sets, ImageSize size, Device device, CancellationToken cancellation)
    {
        foreach (var set in sets)
        {
            if (set.Database.Count == 0 || set.Queries.Count == 0)
            {
                throw new UserException($"{set.Name}: too few pictures: {set.Database.Count} in the database, {set.Queries.Count} queries");
            }
        }

        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("pictures", maxValue: sets.Sum(set => set.Database.Count + set.Queries.Count));
                Pictures Load(IReadOnlyList<Place> places) => new(places, size, device, () => task.Increment(1), cancellation);
                return Array.ConvertAll(sets, set => new LoadedSet(set, Load(set.Database), Load(set.Queries)));
            });
    }
}
