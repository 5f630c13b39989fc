using static TorchSharp.torch;

namespace MultiScale.Search;

/// <summary>How far two answers to the same boxes agree.</summary>
/// <param name="Same">Share of the boxes to which both give the same class.</param>
/// <param name="ObjectBoxes">Boxes to which one of them at least gives the class of an object; most boxes are ground to both.</param>
/// <param name="SameObjects">Share of those to which both give the same class; null where there are none.</param>
/// <param name="MeanDifference">Of the probabilities, absolute, over boxes and classes.</param>
internal sealed record Agreement(double Same, long ObjectBoxes, double? SameObjects, double MeanDifference)
{
    /// <param name="one">Probabilities, shape (M, classes), the ground last.</param>
    /// <param name="other">The same.</param>
    public static Agreement Of(Tensor one, Tensor other)
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (one.argmax(1), other.argmax(1));
        var ground = one.size(1) - 1;
        var same = ours.eq(theirs);
        var objects = ours.ne(ground).logical_or(theirs.ne(ground));
        var count = objects.sum().item<long>();
        return new(
            Share(same.sum(), same.numel()), count, count == 0 ? null : Share(same.logical_and(objects).sum(), count),
            (one - other).abs().mean().item<float>());
    }

    private static double Share(Tensor part, long whole) => (double)part.item<long>() / whole;
}
