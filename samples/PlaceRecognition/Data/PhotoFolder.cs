using SkiaSharp;

namespace PlaceRecognition.Data;

/// <summary>Photographs on disk: <c>images/{train,val,test}/{database,queries}/@utm_east@utm_north@….jpg</c>.</summary>
internal sealed class PhotoFolder(bool skipUnreadable, int minimumSide)
{
    private int skipped;

    private static readonly string[] Endings = [".jpg", ".jpeg", ".png"];

    /// <summary>Files left out under --skip-unreadable.</summary>
    public int Skipped => skipped;

    /// <summary>One split below <paramref name="root"/>.</summary>
    public PlaceSet ReadSplit(string root, string split)
    {
        var folder = Path.Combine(root, "images", split);
        return new(split, ReadFolder(Path.Combine(folder, "database")), ReadFolder(Path.Combine(folder, "queries")));
    }

    /// <summary>The pictures of one folder, by name.</summary>
    public List<Place> ReadFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new UserException($"no folder {folder} (expected DIR/images/{{train,val,test}}/{{database,queries}}/@utm_east@utm_north@….jpg)");
        }

        var files = Directory.EnumerateFiles(folder)
            .Where(file => Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal).ToList();
        var places = new Place?[files.Count];
        Parallel.For(0, files.Count, i => places[i] = Read(files[i]));
        return [.. places.OfType<Place>()];
    }

    /// <summary>One picture of any name, for a query whose position is not known.</summary>
    public Place ReadOne(string path)
    {
        var problem = Problem(path);
        var (east, north) = PhotoName.Position(path) ?? (double.NaN, double.NaN);
        return problem is null ? new(path, east, north, bitmap => Decode(path, bitmap)) : throw new UserException($"{path}: {problem}");
    }

    private Place? Read(string path)
    {
        var position = PhotoName.Position(path);
        var problem = position is null ? "expected a name like @utm_east@utm_north@….jpg" : Problem(path);
        if (problem is null)
        {
            return new(path, position!.Value.East, position.Value.North, bitmap => Decode(path, bitmap));
        }

        if (!skipUnreadable)
        {
            throw new UserException($"{path}: {problem} (--skip-unreadable leaves such files out)");
        }

        Interlocked.Increment(ref skipped);

        return null;
    }

    /// <summary>Why the file is of no use; null where it decodes to its end.</summary>
    private string? Problem(string path)
    {
        try
        {
            using var codec = SKCodec.Create(path);
            if (codec is null)
            {
                return File.Exists(path) ? "not a JPEG or PNG picture" : "no such file";
            }

            if (codec.Info.Width < minimumSide || codec.Info.Height < minimumSide)
            {
                return $"{codec.Info.Height}x{codec.Info.Width} pixels are too few, the network takes pictures from {minimumSide}x{minimumSide}";
            }

            using var bitmap = new SKBitmap(codec.Info.WithColorType(SKColorType.Rgba8888).WithAlphaType(SKAlphaType.Premul));
            var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
            return result == SKCodecResult.Success ? null : $"the picture is damaged ({result})";
        }
        catch (UnauthorizedAccessException e)
        {
            return e.Message;
        }
    }

    private static void Decode(string path, SKBitmap target)
    {
        using var photo = SKBitmap.Decode(path) ?? throw new UserException($"{path}: can no longer be read");
        using var canvas = new SKCanvas(target);
        using var image = SKImage.FromBitmap(photo);
        canvas.Clear(SKColors.Black);
        canvas.DrawImage(image, SKRect.Create(target.Width, target.Height), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
    }
}
