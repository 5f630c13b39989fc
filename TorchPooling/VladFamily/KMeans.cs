using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>k-means with k-means++ seeding, on the device of the points.</summary>
/// <remarks>
/// <para>Lloyd's rounds move every centre to the mean of the points that are nearest to it, until no point changes its
/// centre; in mini-batches (Sculley, WWW 2010), every centre moves towards the points of a drawn batch that are nearest to
/// it, by 1/(points it ever had). A centre that is nearest to no point, in a round or in a pass over the batches, takes the
/// point farthest from all centres.</para>
/// <para>Memory is one copy of the points, some 50 bytes a point, a few of the centres and a batch, and less than 200 MB. The same seed gives the same centres on the
/// same machine and device.</para>
/// <para>Seeding: Arthur, Vassilvitskii: k-means++: The Advantages of Careful Seeding, SODA 2007. Spherical: Dhillon, Modha:
/// Concept Decompositions for Large Sparse Text Data Using Clustering, Machine Learning 2001.</para>
/// </remarks>
public static partial class KMeans
{
    private const int MostPasses = 100_000;   // all of them are taken, unlike Lloyd's rounds

    /// <summary>Finds K centres.</summary>
    /// <param name="points">Shape (M, D), floating-point; M ≥ <paramref name="clusters"/>.</param>
    /// <param name="clusters">K.</param>
    /// <param name="iterations">At most so many rounds; in mini-batches exactly so many passes over the points.</param>
    /// <param name="seed">Decides the draws.</param>
    /// <param name="batch_size">Points of a mini-batch; Lloyd's rounds where it is null, or not less than M.</param>
    /// <param name="spherical">Cluster directions: points and centres are scaled to unit length.</param>
    /// <returns>Centres, shape (K, D), at least float32.</returns>
    /// <exception cref="ArgumentException"><paramref name="points"/> has another shape, fewer than K distinct rows, or values
    /// that are not finite, or whose squares are not.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public static Tensor Fit(Tensor points, long clusters, int iterations = 100, int seed = 0, long? batch_size = null, bool spherical = false) =>
        Fit(points, clusters, iterations, seed, batch_size, spherical, nameof(points));

    /// <summary>The same, for a caller who names the points <paramref name="name"/>.</summary>
    internal static Tensor Fit(Tensor points, long clusters, int iterations, int seed, long? batch_size, bool spherical, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clusters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch_size ?? 1, nameof(batch_size));
        Check.Matrix(points, clusters, null, name);
        if (batch_size < points.size(0) && iterations > MostPasses)
        {
            throw new ArgumentOutOfRangeException(nameof(iterations), iterations, $"expected at most {MostPasses} passes in mini-batches");
        }

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (centred, offset) = Centred(points.detach(), spherical, name);
        var lengths = Rows(centred, block => block.Squared().sum(1));
        if (!lengths.isfinite().all().ToBoolean())
        {
            throw new ArgumentException("expected descriptors whose squares are finite, got larger ones: scale them", name);
        }

        var random = new Random(seed);
        var centers = Seed(centred, lengths, clusters, random, name);
        centers = batch_size < points.size(0)
            ? MiniBatches(centred, lengths, centers, iterations, batch_size.Value, spherical, random)
            : Lloyd(centred, lengths, centers, iterations, spherical);
        return centers.add_(offset, Held(1)).MoveToOuterDisposeScope();
    }

    /// <summary>A copy of the points less their mean, so that a common offset costs no digits, or of their directions.</summary>
    private static (Tensor Points, Tensor Offset) Centred(Tensor points, bool spherical, string name)
    {
        using var scope = NewDisposeScope();
        var dtype = Check.AtLeastFloat32(points.dtype);
        var offset = zeros(1, points.size(1), dtype: dtype, device: points.device);
        var copy = empty(points.shape, dtype: dtype, device: points.device);
        var start = 0L;
        foreach (var block in RowBlocks.Of(points, 1))
        {
            using var step = NewDisposeScope();
            var rows = copy.narrow(0, start, block.size(0));
            rows.copy_(block);
            if (!rows.isfinite().all().ToBoolean())
            {
                throw new ArgumentException("expected finite descriptors, got NaN or infinity among them", name);
            }

            rows.copy_(spherical ? pooling.l2_normalize(rows) : rows);
            offset.add_(rows.sum([0], keepdim: true) / Held(points.size(0)), Held(1));
            start += block.size(0);
        }

        return ((spherical ? copy : copy.sub_(offset)).MoveToOuterDisposeScope(), (spherical ? offset.zero_() : offset).MoveToOuterDisposeScope());
    }

    /// <summary>k-means++: each next centre is a point drawn with probability proportional to its squared distance to
    /// the centres so far.</summary>
    private static Tensor Seed(Tensor points, Tensor lengths, long clusters, Random random, string name)
    {
        using var scope = NewDisposeScope();
        var chosen = new long[clusters];
        chosen[0] = random.NextInt64(points.size(0));
        var distances = full_like(lengths, Held(double.PositiveInfinity));
        for (var k = 1; k < clusters; k++)
        {
            using var step = NewDisposeScope();
            distances.copy_(minimum(distances, Distances(points, lengths, points[chosen[k - 1]])));
            var cumulative = distances.cpu().to(ScalarType.Float64).cumsum(0);   // not on a GPU, where it may differ from run to run
            var total = cumulative[-1].ToDouble();
            if (!(total > 0))
            {
                throw new ArgumentException($"expected at least {clusters} distinct descriptors, got {k}", name);
            }

            // right: true steps over points of distance 0, whose cumulative value equals their predecessor's.
            var draw = tensor(random.NextDouble() * total, dtype: ScalarType.Float64);
            chosen[k] = Math.Min(searchsorted(cumulative, draw, right: true).ToInt64(), points.size(0) - 1);
        }

        return points.index_select(0, tensor(chosen, device: points.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Rounds until no point changes its centre. <paramref name="lengths"/> are the squared lengths of the points.</summary>
    internal static Tensor Lloyd(Tensor points, Tensor lengths, Tensor start, int iterations, bool spherical)
    {
        using var scope = NewDisposeScope();
        var centers = start.clone();
        var assignment = full(points.size(0), Held(-1), dtype: ScalarType.Int64, device: points.device);
        for (var round = 0; round < iterations; round++)
        {
            using var step = NewDisposeScope();
            var (nearest, nearness) = Nearest(points, centers);
            if (nearest.Equals(assignment))
            {
                break;
            }

            assignment.copy_(nearest);
            var (sums, counts) = Sums(points, nearest, centers.size(0));
            centers.copy_(sums / counts.clamp_min(Held(1)).unsqueeze(1));
            Fill(centers, counts == Held(0), points, lengths, nearness.add_(lengths, Held(1)));
            centers.copy_(Directed(centers, spherical));
        }

        return centers.MoveToOuterDisposeScope();
    }

    internal static Tensor MiniBatches(
        Tensor points, Tensor lengths, Tensor start, int passes, long batch_size, bool spherical, Random random)
    {
        using var scope = NewDisposeScope();
        var centers = start.clone();
        var had = zeros(centers.size(0), dtype: ScalarType.Float64, device: points.device);
        long[] order = [.. Enumerable.Range(0, checked((int)points.size(0))).Select(i => (long)i)];
        for (var pass = 0; pass < passes; pass++)
        {
            using var whole = NewDisposeScope();
            var before = had.clone();
            random.Shuffle(order);
            foreach (var batch in order.Chunk(checked((int)batch_size)))
            {
                using var step = NewDisposeScope();
                var drawn = points.index_select(0, tensor(batch, device: points.device));
                var (nearest, _) = Nearest(drawn, centers);
                var (sums, counts) = Sums(drawn, nearest, centers.size(0));
                had.add_(counts, Held(1));
                centers.add_((sums - counts.unsqueeze(1) * centers) / had.clamp_min(Held(1)).unsqueeze(1).to(points.dtype), Held(1));
                centers.copy_(Directed(centers, spherical));
            }

            FillIdle(had == before);
        }

        var (last, _) = Nearest(points, centers);
        FillIdle(Sums(points, last, centers.size(0)).Counts == Held(0));
        return centers.MoveToOuterDisposeScope();

        void FillIdle(Tensor idle)
        {
            if (idle.any().ToBoolean())
            {
                Fill(centers, idle, points, lengths, Nearest(points, centers).Nearness.add_(lengths, Held(1)));
                had.masked_fill_(idle, Held(0));
            }
        }
    }

    /// <summary>Every empty cluster takes the point that is farthest from its centre, in turn.</summary>
    /// <param name="centers">Shape (K, D), changed in place.</param>
    /// <param name="empty">Shape (K), bool.</param>
    /// <param name="points">Shape (M, D).</param>
    /// <param name="lengths">Their squared lengths, shape (M).</param>
    /// <param name="distances">Squared, of each point to its centre, shape (M); changed in place.</param>
    internal static void Fill(Tensor centers, Tensor empty, Tensor points, Tensor lengths, Tensor distances)
    {
        foreach (var k in empty.nonzero().flatten().data<long>().ToArray())
        {
            using var step = NewDisposeScope();
            var farthest = points[distances.argmax().ToInt64()];
            centers[k].copy_(farthest);
            distances.copy_(minimum(distances, Distances(points, lengths, farthest)));
        }
    }

    private static Tensor Directed(Tensor centers, bool spherical) => spherical ? pooling.l2_normalize(centers) : centers;
}
