using MultiScale.Data;
using static TorchSharp.torch;

namespace MultiScale.Search;

/// <summary>Squares of several sizes at even steps over a picture, size by size, each row by row.</summary>
/// <param name="Height">Pixels of the picture.</param>
/// <param name="Width">Pixels of the picture.</param>
/// <param name="Sizes">Sides in pixels.</param>
/// <param name="Step">Pixels from one to the next.</param>
internal sealed record SlidingBoxes(int Height, int Width, IReadOnlyList<int> Sizes, int Step)
{
    public Box[] All { get; } =
    [
        .. from size in Sizes
           from top in Steps(Height - size, Step)
           from left in Steps(Width - size, Step)
           select new Box(left, top, left + size, top + size),
    ];

    /// <summary>The boxes of picture <paramref name="image"/> of a batch, shape (M, 5), as the network takes them.</summary>
    public static Tensor Rows(IReadOnlyCollection<Box> boxes, int image = 0)
    {
        var rows = boxes.SelectMany(box => new[] { image, (float)box.Left, (float)box.Top, (float)box.Right, (float)box.Bottom });
        return tensor(rows.ToArray(), [boxes.Count, 5]);
    }

    /// <summary>What of the picture (1, 1, H, W) lies in the boxes, each size as (M, 1, size, size).</summary>
    public IEnumerable<Tensor> Crops(Tensor image) =>
        Sizes.Where(size => size <= Math.Min(Height, Width)).Select(size => image.unfold(2, size, Step).unfold(3, size, Step).reshape(-1, 1, size, size));

    private static IEnumerable<int> Steps(int last, int step) => last < 0 ? [] : Enumerable.Range(0, (last / step) + 1).Select(i => i * step);
}
