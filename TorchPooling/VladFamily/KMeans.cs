using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>k-means with k-means++ seeding, on the device of the points.</summary>
/// <remarks>
/// <para>Lloyd's rounds move every centre to the mean of the points that are nearest to it, until no point changes its
/// centre; in mini-batches (Sculley, WWW 2010), every centre moves towards the points of a drawn batch that are nearest to
/// it, by 1/(points it ever had). A centre that is nearest to none takes the point farthest from its own.</para>
/// <para>Products are matrix products in blocks, so memory beyond the points stays below 200 MB; the same seed gives the same
/// centres on the same machine and device.</para>
/// <para>Seeding: Arthur, Vassilvitskii: k-means++: The Advantages of Careful Seeding, SODA 2007. Spherical: Dhillon, Modha:
/// Concept Decompositions for Large Sparse Text Data Using Clustering, 2001.</para>
/// </remarks>
public static class KMeans
{
    private const long BlockElements = 1 << 24;

    /// <summary>Finds K centres.</summary>
    /// <param name="points">Shape (M, D), floating-point; M ≥ <paramref name="clusters"/>.</param>
    /// <param name="clusters">K.</param>
    /// <param name="iterations">At most so many rounds; in mini-batches exactly so many passes over the points.</param>
    /// <param name="seed">Decides the draws.</param>
    /// <param name="batch_size">Points of a mini-batch; null for Lloyd's rounds over all points.</param>
    /// <param name="spherical">Cluster directions: points and centres are scaled to unit length.</param>
    /// <returns>Centres, shape (K, D), at least float32.</returns>
    /// <exception cref="ArgumentException"><paramref name="points"/> has another shape, fewer than K distinct rows, or values
    /// that are not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public static Tensor Fit(Tensor points, long clusters, int iterations = 100, int seed = 0, long? batch_size = null, bool spherical = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clusters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch_size ?? 1, nameof(batch_size));
        ArgumentNullException.ThrowIfNull(points);
        Check.Matrix(points, clusters, points.dim() == 2 ? Math.Max(1, points.size(1)) : 1, nameof(points));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var wide = points.detach().to(Check.AtLeastFloat32(points.dtype));
        if (!wide.sum().isfinite().ToBoolean() && !wide.isfinite().all().ToBoolean())
        {
            throw new ArgumentException("expected finite descriptors, got NaN or infinity among them", nameof(points));
        }

        wide = spherical ? pooling.l2_normalize(wide) : wide;
        var offset = spherical ? zeros(1, wide.size(1), dtype: wide.dtype, device: wide.device) : wide.mean([0], keepdim: true);
        var centred = wide - offset;   // a common offset of the points costs no digits
        var random = new Random(seed);
        var centers = Seed(centred, clusters, random);
        centers = batch_size < points.size(0)
            ? MiniBatches(centred, centers, iterations, batch_size.Value, spherical, random)
            : Lloyd(centred, centers, iterations, spherical);
        return (centers + offset).MoveToOuterDisposeScope();
    }

    /// <summary>The number of the nearest centre of every point, and the squared distance to it less ‖x‖².</summary>
    private static (Tensor Nearest, Tensor Nearness) Nearest(Tensor points, Tensor centers)
    {
        using var scope = NewDisposeScope();
        var (nearest, nearness) = (new List<Tensor>(), new List<Tensor>());
        var lengths = centers.square().sum(1);
        foreach (var block in Blocks(points, centers.size(0)))
        {
            using var step = NewDisposeScope();
            var (values, indexes) = addmm(lengths, block, centers.t(), beta: 1, alpha: -2).min(1);
            nearest.Add(indexes.MoveToOuterDisposeScope());
            nearness.Add(values.MoveToOuterDisposeScope());
        }

        return (cat(nearest).MoveToOuterDisposeScope(), cat(nearness).MoveToOuterDisposeScope());
    }

    /// <summary>√(mean (x − c)²) of the points nearest to each centre, by dimension, (K, D); 0 where fewer than two are.</summary>
    internal static Tensor Deviations(Tensor points, Tensor centers)
    {
        using var scope = NewDisposeScope();
        var offset = centers.mean([0], keepdim: true);
        var (x, c) = (points - offset, centers - offset);
        var (nearest, _) = Nearest(x, c);
        var residuals = x - c.index_select(0, nearest);
        var (squares, counts) = Sums(residuals.square(), nearest, centers.size(0));
        return (squares / counts.clamp_min(1).unsqueeze(1)).sqrt().MoveToOuterDisposeScope();
    }

    /// <summary>Rows in blocks whose table against so many centres stays small.</summary>
    internal static IEnumerable<Tensor> Blocks(Tensor points, long centers)
    {
        var rows = Math.Max(1, BlockElements / Math.Max(centers, points.size(1)));
        for (var start = 0L; start < points.size(0); start += rows)
        {
            yield return points.narrow(0, start, Math.Min(rows, points.size(0) - start));
        }
    }

    /// <summary>k-means++: each next centre is a point drawn with probability proportional to its squared distance to
    /// the centres so far.</summary>
    private static Tensor Seed(Tensor points, long clusters, Random random)
    {
        var chosen = new long[clusters];
        chosen[0] = random.NextInt64(points.size(0));
        var lengths = points.square().sum(1);
        var distances = full_like(lengths, double.PositiveInfinity);
        for (var k = 1; k < clusters; k++)
        {
            using var step = NewDisposeScope();
            var (last, length) = (points[chosen[k - 1]], lengths[chosen[k - 1]]);
            var toLast = lengths + length - 2 * points.mv(last);

            // What rounding leaves between a point and itself is no distance.
            var rounding = (lengths + length) * (points.dtype == ScalarType.Float64 ? 1e-14 : 1e-5);
            toLast = where(toLast > rounding, toLast, zeros_like(toLast));
            distances = minimum(distances, toLast).MoveToOuterDisposeScope();
            var cumulative = distances.to(ScalarType.Float64).cumsum(0);
            var total = cumulative[-1].ToDouble();
            if (!(total > 0))
            {
                throw new ArgumentException($"expected at least {clusters} distinct descriptors, got {k}", nameof(points));
            }

            // right: true steps over points of distance 0, whose cumulative value equals their predecessor's.
            var draw = tensor(random.NextDouble() * total, dtype: ScalarType.Float64, device: points.device);
            chosen[k] = Math.Min(searchsorted(cumulative, draw, right: true).ToInt64(), points.size(0) - 1);
        }

        return points.index_select(0, tensor(chosen, device: points.device));
    }

    private static Tensor Lloyd(Tensor points, Tensor centers, int iterations, bool spherical)
    {
        var assignment = full(points.size(0), -1, dtype: ScalarType.Int64, device: points.device);
        for (var round = 0; round < iterations; round++)
        {
            using var step = NewDisposeScope();
            var (nearest, nearness) = Nearest(points, centers);
            if (nearest.Equals(assignment))
            {
                break;
            }

            var (sums, counts) = Sums(points, nearest, centers.size(0));
            assignment = nearest.MoveToOuterDisposeScope();
            centers = Directed(Filled(sums / counts.clamp_min(1).unsqueeze(1), counts, points, nearness), spherical).MoveToOuterDisposeScope();
        }

        return centers;
    }

    private static Tensor MiniBatches(Tensor points, Tensor centers, int passes, long batch_size, bool spherical, Random random)
    {
        var had = zeros(centers.size(0), dtype: points.dtype, device: points.device);
        var order = new long[points.size(0)];
        for (var pass = 0; pass < passes; pass++)
        {
            order = [.. Enumerable.Range(0, order.Length).Select(i => (long)i)];
            random.Shuffle(order);
            foreach (var batch in order.Chunk((int)Math.Min(batch_size, int.MaxValue)))
            {
                using var step = NewDisposeScope();
                var drawn = points.index_select(0, tensor(batch, device: points.device));
                var (nearest, _) = Nearest(drawn, centers);
                var (sums, counts) = Sums(drawn, nearest, centers.size(0));
                had = (had + counts).MoveToOuterDisposeScope();
                var moved = centers + (sums - counts.unsqueeze(1) * centers) / had.clamp_min(1).unsqueeze(1);
                centers = Directed(moved, spherical).MoveToOuterDisposeScope();
            }
        }

        using var last = NewDisposeScope();
        var (nearest_at_last, nearness) = Nearest(points, centers);
        var (_, counts_at_last) = Sums(points, nearest_at_last, centers.size(0));
        return Filled(centers, counts_at_last, points, nearness).MoveToOuterDisposeScope();
    }

    /// <summary>The sum and the number of the points of each cluster, as products with their indicator: exact in the same
    /// order on every run, which scattered additions on a GPU are not.</summary>
    private static (Tensor Sums, Tensor Counts) Sums(Tensor points, Tensor nearest, long clusters)
    {
        using var scope = NewDisposeScope();
        var sums = zeros(clusters, points.size(1), dtype: points.dtype, device: points.device);
        var counts = zeros(clusters, dtype: points.dtype, device: points.device);
        var numbers = arange(clusters, device: points.device).unsqueeze(1);
        var start = 0L;
        foreach (var block in Blocks(points, clusters))
        {
            using var step = NewDisposeScope();
            var indicator = (nearest.narrow(0, start, block.size(0)).unsqueeze(0) == numbers).to(points.dtype);
            sums.addmm_(indicator, block);
            counts.add_(indicator.sum(1));
            start += block.size(0);
        }

        return (sums.MoveToOuterDisposeScope(), counts.MoveToOuterDisposeScope());
    }

    /// <summary>Every empty cluster takes another of the points that are farthest from their centres.</summary>
    internal static Tensor Filled(Tensor centers, Tensor counts, Tensor points, Tensor nearness)
    {
        var empty = (counts == 0).nonzero().flatten();
        if (empty.size(0) > 0)
        {
            var (_, farthest) = (nearness + points.square().sum(1)).topk((int)empty.size(0));
            centers.index_copy_(0, empty, points.index_select(0, farthest));
        }

        return centers;
    }

    private static Tensor Directed(Tensor centers, bool spherical) => spherical ? pooling.l2_normalize(centers) : centers;
}
