using MultiScale.Data;
using static TorchSharp.torch;

namespace MultiScale.Training;

/// <summary>Batches of training pictures in the sizes that a network learns from.</summary>
/// <remarks>He, Zhang, Ren, Sun: Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition, ECCV 2014, section 2.3:
/// one network that takes one size in one epoch and another in the next, with the same weights.</remarks>
internal sealed class SizedBatches(SizedPictures pictures, IReadOnlyList<int> sizes, SizeDraw draw, Device device)
{
    private readonly SortedDictionary<int, long> seen = [];

    /// <summary>Pictures so far, by their size.</summary>
    public IReadOnlyDictionary<int, long> Seen => seen;

    /// <summary>The pictures of these numbers (n), of one size each; several batches where sizes mix.</summary>
    public IReadOnlyList<Batch> Of(Tensor numbers, int epoch, Random rng) => draw switch
    {
        SizeDraw.Epoch => [OfSize(numbers, sizes[epoch % sizes.Count])],
        SizeDraw.Batch => [OfSize(numbers, sizes[rng.Next(sizes.Count)])],
        _ => BySize(numbers, rng),
    };

    private List<Batch> BySize(Tensor numbers, Random rng)
    {
        var all = numbers.data<long>().ToArray();
        return [.. all.GroupBy(_ => sizes[rng.Next(sizes.Count)]).OrderBy(group => group.Key).Select(group => OfSize(tensor(group.ToArray()), group.Key))];
    }

    private Batch OfSize(Tensor numbers, int size)
    {
        seen[size] = seen.GetValueOrDefault(size) + numbers.size(0);
        return new(pictures.Images(numbers, size).to(device), pictures.Labels.index_select(0, numbers).to(device));
    }
}
