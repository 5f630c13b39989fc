using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Lloyd's k-means with k-means++ seeding (Arthur, Vassilvitskii, SODA 2007), on the device of the points.</summary>
internal static class KMeans
{
    /// <param name="points">Shape (M, D), floating-point, M ≥ <paramref name="clusters"/>.</param>
    /// <param name="clusters">K.</param>
    /// <param name="iterations">At most so many rounds; fewer where no assignment changes any more.</param>
    /// <param name="seed">The same seed gives the same centres.</param>
    /// <returns>Centres, shape (K, D).</returns>
    public static Tensor Fit(Tensor points, long clusters, int iterations, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (!points.isfinite().all().ToBoolean())
        {
            throw new ArgumentException("expected finite descriptors, got NaN or infinity among them", "descriptors");
        }

        var centers = Seed(points, clusters, new Random(seed));
        var assignment = full(points.size(0), -1, dtype: ScalarType.Int64, device: points.device);
        for (var round = 0; round < iterations; round++)
        {
            using var step = NewDisposeScope();
            var (distances, nearest) = SquaredDistances(points, centers).min(1);
            if (nearest.Equals(assignment))
            {
                break;
            }

            assignment = nearest.MoveToOuterDisposeScope();
            centers = Means(points, nearest, distances, clusters).MoveToOuterDisposeScope();
        }

        return centers.MoveToOuterDisposeScope();
    }

    /// <summary>k-means++: each next centre is a point drawn with probability proportional to its squared distance to
    /// the centres so far.</summary>
    private static Tensor Seed(Tensor points, long clusters, Random random)
    {
        var chosen = new long[clusters];
        chosen[0] = random.NextInt64(points.size(0));
        var distances = full(points.size(0), double.PositiveInfinity, dtype: points.dtype, device: points.device);
        for (var k = 1; k < clusters; k++)
        {
            using var step = NewDisposeScope();
            var toLast = (points - points[chosen[k - 1]]).square().sum(1);
            distances = minimum(distances, toLast).MoveToOuterDisposeScope();
            var cumulative = distances.to(ScalarType.Float64).cumsum(0);
            var total = cumulative[-1].ToDouble();
            if (!(total > 0))
            {
                throw new ArgumentException($"expected at least {clusters} distinct descriptors, got {k}", "descriptors");
            }

            // right: true steps over points of distance 0, whose cumulative value equals their predecessor's.
            var draw = tensor(random.NextDouble() * total, dtype: ScalarType.Float64, device: points.device);
            chosen[k] = Math.Min(searchsorted(cumulative, draw, right: true).ToInt64(), points.size(0) - 1);
        }

        return points.index_select(0, tensor(chosen, device: points.device));
    }

    /// <summary>‖x − c‖² of all pairs, (M, K), as ‖x‖² − 2xᵀc + ‖c‖² about the mean of the centres, so that a common
    /// offset of the points costs no digits.</summary>
    public static Tensor SquaredDistances(Tensor points, Tensor centers)
    {
        var offset = centers.mean([0], keepdim: true);
        var (x, c) = (points - offset, centers - offset);
        return addmm(c.square().sum(1), x, c.t(), beta: 1, alpha: -2) + x.square().sum(1, keepdim: true);
    }

    /// <summary>The mean of each cluster; an empty cluster takes the point that is farthest from its centre.</summary>
    internal static Tensor Means(Tensor points, Tensor nearest, Tensor distances, long clusters)
    {
        var sums = zeros(clusters, points.size(1), dtype: points.dtype, device: points.device).index_add_(0, nearest, points, 1);
        var counts = nearest.bincount(null, clusters);
        var centers = sums / counts.clamp_min(1).unsqueeze(1).to(points.dtype);
        var empty = (counts == 0).nonzero().flatten();
        if (empty.size(0) > 0)
        {
            var (_, farthest) = distances.topk((int)empty.size(0));
            centers.index_copy_(0, empty, points.index_select(0, farthest));
        }

        return centers;
    }
}
