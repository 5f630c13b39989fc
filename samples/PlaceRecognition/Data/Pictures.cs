using static TorchSharp.torch;

namespace PlaceRecognition.Data;

/// <summary>The pictures of some places at the network's size: held in memory, or drawn again for every batch.</summary>
internal sealed class Pictures
{
    private readonly byte[]?[] kept;
    private readonly Device device;

    public Pictures(IReadOnlyList<Place> places, ImageSize size, Device? device = null, bool keep = true, Action? onLoaded = null, CancellationToken cancellation = default)
    {
        Places = places;
        Size = size;
        this.device = device ?? CPU;
        kept = new byte[]?[places.Count];
        if (!keep)
        {
            return;
        }

        Parallel.For(0, places.Count, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            kept[i] = Pixels(places[i]);
            onLoaded?.Invoke();
        });
    }

    public IReadOnlyList<Place> Places { get; }

    public ImageSize Size { get; }

    /// <summary>The pictures with these numbers: (n, 3, H, W) on the device, channels-last, values 0 … 1.</summary>
    public Tensor Batch(IReadOnlyList<int> indices)
    {
        using var scope = NewDisposeScope();
        var pixels = new byte[indices.Count][];
        Parallel.For(0, indices.Count, i => pixels[i] = kept[indices[i]] ?? Pixels(Places[indices[i]]));
        var bytes = empty(indices.Count, Size.Height, Size.Width, 3, dtype: ScalarType.Byte);
        var target = bytes.bytes;
        var length = Size.Height * Size.Width * 3;
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i].CopyTo(target[(i * length)..]);
        }

        return bytes.to(device).to(ScalarType.Float32).div_(255).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    private byte[] Pixels(Place place)
    {
        using var bitmap = place.Picture(Size.Width, Size.Height);
        var rgba = bitmap.GetPixelSpan();
        var rgb = new byte[Size.Height * Size.Width * 3];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            rgba.Slice(from, 3).CopyTo(rgb.AsSpan(to));
        }

        return rgb;
    }
}
