using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using PlaceRecognition.World;
using static TorchSharp.torch;

namespace PlaceRecognition.Commands;

/// <summary>Finds the places, then reads or draws their pictures, with progress.</summary>
internal static class PictureLoader
{
    private const int StreetSeed = 1;
    private const long MemoryLimit = 2L << 30;

    /// <summary>These splits of the photographs below <paramref name="folder"/>, or of the drawn streets where it is null.</summary>
    public static PlaceSet[] Find(
        string? folder, bool skipUnreadable, bool quick, bool hardQueries, string[] splits, CancellationToken cancellation)
    {
        if (hardQueries && folder is not null)
        {
            throw new UserException("--hard-queries: photographs are as they are; it is for the drawn streets");
        }

        var sets = folder is null
            ? StreetData.Create(StreetSeed, (quick ? WorldSize.Quick : WorldSize.Default) with { HardQueries = hardQueries }, splits)
            : ReadFolders(folder, skipUnreadable, splits, cancellation);
        foreach (var set in sets)
        {
            if (set.Database.Count == 0 || set.Queries.Count == 0)
            {
                throw new UserException($"{set.Name}: too few pictures: {set.Database.Count} in the database, {set.Queries.Count} queries");
            }

            CheckAnswers(set);
        }

        return sets;
    }

    public static LoadedSet[] Load(PlaceSet[] sets, ImageSize size, Device device, CancellationToken cancellation)
    {
        var count = sets.Sum(set => set.Database.Count + set.Queries.Count);
        var bytes = 3L * size.Height * size.Width * count;
        var keep = bytes <= MemoryLimit;
        if (!keep)
        {
            Console.WriteLine($"{count} pictures of {size} take {bytes >> 30} GiB: they are read again for every batch.");
        }

        var loaded = Array.Empty<LoadedSet>();
        Terminal.Track($"{count} pictures", count, (advance, _) =>
        {
            Pictures Load(IReadOnlyList<Place> places) => new(places, size, device, keep, () => advance(1), cancellation);
            loaded = Array.ConvertAll(sets, set => new LoadedSet(set, Load(set.Database), Load(set.Queries)));
        });
        return loaded;
    }

    public static void ReportSkipped(PhotoFolder photos)
    {
        if (photos.Skipped > 0)
        {
            Console.WriteLine($"{photos.Skipped} unreadable or misnamed files left out");
        }
    }

    private static PlaceSet[] ReadFolders(string folder, bool skipUnreadable, string[] splits, CancellationToken cancellation)
    {
        var photos = new PhotoFolder(skipUnreadable, cancellation);
        var sets = Array.Empty<PlaceSet>();
        Terminal.Track($"checking the pictures of {folder}", splits.Length, (advance, _) => sets = Array.ConvertAll(splits, split =>
        {
            var set = photos.ReadSplit(folder, split);
            advance(1);
            return set;
        }));
        ReportSkipped(photos);
        return sets;
    }

    private static void CheckAnswers(PlaceSet set)
    {
        var lost = Recall.Lost(set);
        if (lost == set.Queries.Count)
        {
            throw new UserException($"{set.Name}: none of the {lost} queries has a database picture within {Recall.Radius} m");
        }

        if (lost > 0)
        {
            Console.WriteLine($"{set.Name}: {lost} of {set.Queries.Count} queries have no database picture within {Recall.Radius} m and count as not found");
        }
    }
}
