using static TorchSharp.torch;

namespace MultiScale.Data;

/// <summary>Square pictures that can be had in several sizes.</summary>
internal sealed class SizedPictures : IDisposable
{
    private readonly Dictionary<int, LabelledPictures> sizes;
    private readonly int native;

    /// <param name="native">The size of which others are interpolated.</param>
    /// <param name="sizes">The sizes that are there; the same pictures in the same order.</param>
    public SizedPictures(int native, IEnumerable<LabelledPictures> sizes)
    {
        this.native = native;
        this.sizes = sizes.ToDictionary(pictures => (int)pictures.Images.size(3));
    }

    public long Count => sizes[native].Count;

    public IReadOnlyList<string> Classes => sizes[native].Classes;

    /// <summary>Shape (N), int64.</summary>
    public Tensor Labels => sizes[native].Labels;

    /// <summary>Pictures of these numbers (n), as (n, 1, size, size): as they are in that size where they are, else interpolated, bilinearly, and averaged where they shrink.</summary>
    public Tensor Images(Tensor numbers, int size)
    {
        using var scope = NewDisposeScope();
        var there = sizes.TryGetValue(size, out var exact);
        var images = (there ? exact! : sizes[native]).Images.index_select(0, numbers);
        return (there ? images : LabelledPictures.Resize(images, size)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var pictures in sizes.Values)
        {
            pictures.Dispose();
        }
    }
}
