using SkiaSharp;
using static TorchSharp.torch;

namespace Distributed.Data;

/// <summary>One folder of images for each class, in the order of torchvision's <c>ImageFolder</c>.</summary>
internal sealed class ImageFolder
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];

    private readonly (string Path, int Class)[] images;

    public ImageFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new UserException($"--data: no folder {folder}");
        }

        Folder = folder;
        Classes = [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        images = [.. Classes.SelectMany((name, number) => Files(Path.Combine(folder, name)).Select(path => (path, number)))];
        var empty = Classes.Where((_, number) => images.All(image => image.Class != number)).ToArray();
        if (Classes.Length == 0 || empty.Length > 0)
        {
            var got = Classes.Length == 0 ? "no folder" : $"no image in {string.Join(", ", empty)}";
            throw new UserException($"--data: expected one folder of images for each class in {folder}, got {got}");
        }
    }

    public string Folder { get; }

    public string[] Classes { get; }

    public int Count => images.Length;

    /// <summary>All images (n, 3, H, W) as bytes, and their classes (n).</summary>
    public (Tensor Images, Tensor Labels) Load(ImageSize size)
    {
        using var scope = NewDisposeScope();
        var pixels = empty(Count, size.Height, size.Width, 3, dtype: ScalarType.Byte);
        var length = 3 * size.Height * size.Width;
        var target = pixels.bytes;
        for (var i = 0; i < Count; i++)
        {
            Read(images[i].Path, size, target.Slice(i * length, length));
        }

        var labels = tensor(images.Select(image => (long)image.Class).ToArray());
        return (pixels.permute(0, 3, 1, 2).MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant()))
            .OrderBy(Path.GetDirectoryName, StringComparer.Ordinal)
            .ThenBy(Path.GetFileName, StringComparer.Ordinal);

    private static void Read(string path, ImageSize size, Span<byte> target)
    {
        using var bitmap = SKBitmap.Decode(path) ?? throw new UserException($"--data: {path} is no image that can be read");
        using var scaled = bitmap.Resize(
            new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul),
            new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        var rgba = scaled.GetPixelSpan();
        for (int from = 0, to = 0; to < target.Length; from += 4, to += 3)
        {
            rgba.Slice(from, 3).CopyTo(target[to..]);
        }
    }
}
