using PlaceRecognition.Model;
using SkiaSharp;

namespace PlaceRecognition.Data;

/// <summary>Photographs on disk: <c>images/{train,val,test}/{database,queries}/@utm_east@utm_north@….jpg</c>.</summary>
internal sealed class PhotoFolder(bool skipUnreadable, CancellationToken cancellation = default)
{
    private const long MostPixels = 200_000_000;

    private static readonly string[] Endings = [".jpg", ".jpeg", ".png"];

    private int skipped;

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
        Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = cancellation }, i => places[i] = Read(files[i]));
        return [.. places.OfType<Place>()];
    }

    /// <summary>One picture of any name, for a query whose position is not known.</summary>
    public static Place ReadOne(string path)
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
    private static string? Problem(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var codec = SKCodec.Create(file);
            if (codec is null)
            {
                return "not a JPEG or PNG picture";
            }

            var (width, height) = (codec.Info.Width, codec.Info.Height);
            if (Math.Min(width, height) < PlaceNetwork.MinimumSide)
            {
                return $"{height}x{width} pixels are too few, the network takes pictures from {PlaceNetwork.MinimumSide}x{PlaceNetwork.MinimumSide}";
            }

            if ((long)width * height > MostPixels)
            {
                return $"{height}x{width} pixels are too many, expected at most {MostPixels / 1_000_000} million";
            }

            using var bitmap = new SKBitmap(codec.Info.WithColorType(SKColorType.Rgba8888).WithAlphaType(SKAlphaType.Premul));
            var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
            return result == SKCodecResult.Success ? null : $"the picture is damaged ({result})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static void Decode(string path, SKBitmap target)
    {
        using var codec = SKCodec.Create(path) ?? throw new UserException($"{path}: can no longer be read");
        using var photo = SKBitmap.Decode(codec) ?? throw new UserException($"{path}: can no longer be read");
        using var canvas = new SKCanvas(target);
        using var image = SKImage.FromBitmap(photo);
        canvas.Clear(SKColors.Black);
        canvas.SetMatrix(Upright(codec.EncodedOrigin, photo.Width, photo.Height, target.Width, target.Height));
        canvas.DrawImage(image, 0, 0, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
    }

    /// <summary>From the stored pixels (w × h) to the target, turned as the camera's EXIF orientation says.</summary>
    private static SKMatrix Upright(SKEncodedOrigin origin, float w, float h, float width, float height)
    {
        var turn = origin switch
        {
            SKEncodedOrigin.TopRight => new SKMatrix(-1, 0, w, 0, 1, 0, 0, 0, 1),
            SKEncodedOrigin.BottomRight => new SKMatrix(-1, 0, w, 0, -1, h, 0, 0, 1),
            SKEncodedOrigin.BottomLeft => new SKMatrix(1, 0, 0, 0, -1, h, 0, 0, 1),
            SKEncodedOrigin.LeftTop => new SKMatrix(0, 1, 0, 1, 0, 0, 0, 0, 1),
            SKEncodedOrigin.RightTop => new SKMatrix(0, -1, h, 1, 0, 0, 0, 0, 1),
            SKEncodedOrigin.RightBottom => new SKMatrix(0, -1, h, -1, 0, w, 0, 0, 1),
            SKEncodedOrigin.LeftBottom => new SKMatrix(0, 1, 0, -1, 0, w, 0, 0, 1),
            _ => SKMatrix.Identity,
        };
        var swapped = origin >= SKEncodedOrigin.LeftTop;
        return turn.PostConcat(SKMatrix.CreateScale(width / (swapped ? h : w), height / (swapped ? w : h)));
    }
}
