using static TorchSharp.torch;

namespace TorchPooling;

/// <content>Distances and sums over all points, in blocks of them.</content>
public static partial class KMeans
{
    /// <summary>√(mean (x − c)²) of the points nearest to each centre, by dimension, (K, D); 0 where fewer than two are.</summary>
    internal static Tensor Deviations(Tensor points, Tensor centers)
    {
        using var scope = NewDisposeScope();
        var offset = centers.mean([0], keepdim: true);
        var c = centers - offset;
        var (squares, counts) = (zeros_like(c), zeros(c.size(0), dtype: c.dtype, device: c.device));
        foreach (var block in RowBlocks.Of(points, c.size(0)))
        {
            using var step = NewDisposeScope();
            var x = block - offset;
            var (nearest, _) = Nearest(x, c);
            var (sums, count) = Sums((x - c.index_select(0, nearest)).Squared(), nearest, c.size(0));
            squares.add_(sums, Held(1));
            counts.add_(count, Held(1));
        }

        return (squares / counts.clamp_min(Held(1)).unsqueeze(1)).sqrt().MoveToOuterDisposeScope();
    }

    /// <summary>The squared distance of every point to one centre, (M).</summary>
    private static Tensor Distances(Tensor points, Tensor lengths, Tensor center)
    {
        using var scope = NewDisposeScope();
        var length = center.Squared().sum();
        var start = 0L;
        return Rows(points, block =>
        {
            var sum = lengths.narrow(0, start, block.size(0)).Plus(length);
            start += block.size(0);
            var distances = sum - Held(2) * block.mv(center);

            // Where the difference is little more than its rounding, the distance is taken directly: of equal points it is 0.
            var near = (distances <= sum * Held(sum.dtype == ScalarType.Float64 ? 1e-12 : 1e-4)).nonzero().flatten();
            return near.size(0) == 0
                ? distances
                : distances.index_copy_(0, near, (block.index_select(0, near) - center).Squared().sum(1));
        }).MoveToOuterDisposeScope();
    }

    /// <summary>The number of the nearest centre of every point, and the squared distance to it less ‖x‖².</summary>
    private static (Tensor Nearest, Tensor Nearness) Nearest(Tensor points, Tensor centers)
    {
        using var scope = NewDisposeScope();
        var (nearest, nearness) = (new List<Tensor>(), new List<Tensor>());
        var lengths = centers.Squared().sum(1);
        foreach (var block in RowBlocks.Of(points, centers.size(0)))
        {
            using var step = NewDisposeScope();
            var (values, indexes) = addmm(lengths, block, centers.t(), beta: 1, alpha: -2).min(1);
            nearest.Add(indexes.MoveToOuterDisposeScope());
            nearness.Add(values.MoveToOuterDisposeScope());
        }

        return (cat(nearest).MoveToOuterDisposeScope(), cat(nearness).MoveToOuterDisposeScope());
    }

    /// <summary>The sum and the number of the points of each cluster, as products with their indicator: exact in the same
    /// order on every run, which scattered additions on a GPU are not.</summary>
    private static (Tensor Sums, Tensor Counts) Sums(Tensor points, Tensor nearest, long clusters)
    {
        using var scope = NewDisposeScope();
        var sums = zeros(clusters, points.size(1), dtype: points.dtype, device: points.device);
        var counts = zeros(clusters, dtype: points.dtype, device: points.device);
        var numbers = Indices(clusters, device: points.device).unsqueeze(1);
        var start = 0L;
        foreach (var block in RowBlocks.Of(points, clusters))
        {
            using var step = NewDisposeScope();
            var indicator = (nearest.narrow(0, start, block.size(0)).unsqueeze(0) == numbers).to(points.dtype);
            sums.addmm_(indicator, block);
            counts.add_(indicator.sum(1), Held(1));
            start += block.size(0);
        }

        return (sums.MoveToOuterDisposeScope(), counts.MoveToOuterDisposeScope());
    }

    /// <summary>One number for every row, (M), from blocks of them.</summary>
    private static Tensor Rows(Tensor points, Func<Tensor, Tensor> numbers)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var block in RowBlocks.Of(points, 1))
        {
            using var step = NewDisposeScope();
            parts.Add(numbers(block).MoveToOuterDisposeScope());
        }

        return cat(parts).MoveToOuterDisposeScope();
    }
}
