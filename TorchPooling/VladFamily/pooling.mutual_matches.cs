using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Comparing two images part by part.</summary>
public static partial class pooling
{
    private const long SimilarityElements = 1 << 24;

    /// <summary>Which parts of other images are the mutual nearest neighbours of the parts of one.</summary>
    /// <remarks>Part i of the query and part j of an image match where each is the other's nearest by scalar product, of equally
    /// near ones the first: by distance too, for vectors of unit length. A part of zeros, one without descriptors, matches none.
    /// Images are taken in blocks, so memory does not grow with their number. No gradient flows.</remarks>
    /// <param name="query">The parts of one image, shape (Q, F).</param>
    /// <param name="candidates">Those of B others, shape (B, P, F).</param>
    /// <returns>Shape (B, Q), int64: the number of the part that matches, or −1.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ.</exception>
    public static Tensor mutual_matches(Tensor query, Tensor candidates)
    {
        CheckPatchVectors(query, candidates, null);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var wide = query.to(Check.AtLeastFloat32(query.dtype));
        var (count, parts) = (wide.size(0), candidates.size(1));
        var empty = Empty(wide);
        var numbers = Indices(count, device: query.device);
        var matches = full([candidates.size(0), count], Held(-1), dtype: ScalarType.Int64, device: query.device);
        var step = Math.Max(1, SimilarityElements / Math.Max(count * parts, parts * query.size(1)));
        for (var start = 0L; start < candidates.size(0); start += step)
        {
            using var block = NewDisposeScope();
            var others = candidates.narrow(0, start, Math.Min(step, candidates.size(0) - start)).to(wide.dtype);
            var similarity = others.matmul(wide.t());   // (block, P, Q)
            similarity.masked_fill_(Empty(others).unsqueeze(2).logical_or(empty), Held(double.NegativeInfinity));
            var (best, there) = similarity.max(1);
            var back = similarity.argmax(2).gather(1, there);
            var mutual = (back == numbers).logical_and(best > Held(double.NegativeInfinity));
            matches.narrow(0, start, others.size(0)).copy_(where(mutual, there, full_like(there, Held(-1))));
        }

        return matches.MoveToOuterDisposeScope();

        static Tensor Empty(Tensor vectors) => vectors.norm(-1, p: float.PositiveInfinity) == Held(0);
    }

    /// <summary>How alike the displacements of matching parts are: large where many parts match and all move the same way.</summary>
    /// <remarks>s = 1/Q · Σ over the matches of (Y − |yᵢ − ȳ|)² + (X − |xᵢ − x̄|)²; (yᵢ, xᵢ) is the displacement of a match and
    /// (ȳ, x̄) their mean, Y and X are the largest displacements that the positions allow. 0 without a match. Hausler et al., CVPR
    /// 2021, as in its authors' code (<c>spatialApproximator</c>) at stride 1; at larger strides that lists too few positions, the
    /// others as (0, 0). With Y and X from the matches alone, an image would score 0 against itself.</remarks>
    /// <param name="matches">What <see cref="mutual_matches"/> gives, shape (B, Q), int64.</param>
    /// <param name="positions">Row and column of each part of the query, shape (Q, 2), in any unit.</param>
    /// <param name="candidate_positions">Those of the candidates' parts, shape (P, 2); as the query's where null.</param>
    /// <returns>Shape (B), float32 or the positions' dtype where that is float64; larger is better.</returns>
    /// <exception cref="ArgumentException">A shape, dtype or device is another, or a match is no part (on a GPU, where a look would
    /// wait for the device, its image's score is NaN instead).</exception>
    public static Tensor spatial_score(Tensor matches, Tensor positions, Tensor? candidate_positions = null)
    {
        var targets = candidate_positions ?? positions;
        CheckMatches(matches, positions, targets);
        using var scope = NewDisposeScope();
        var wide = positions.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var (from, to) = (positions.to(wide), targets.to(wide));
        var valid = (matches >= Held(0)).to(wide).unsqueeze(2);   // (B, Q, 1)
        var last = to.size(0) - 1;
        var moved = to.index_select(0, matches.clamp(Held(0), Held(last)).flatten()).view(matches.size(0), matches.size(1), 2) - from;
        var mean = (moved * valid).sum(1, keepdim: true) / valid.sum(1, keepdim: true).clamp_min(Held(1));
        var reach = maximum(to.amax([0]) - from.amin([0]), from.amax([0]) - to.amin([0]));
        var score = ((reach - (moved - mean).abs()).Squared() * valid).sum([1, 2]).div(Held(matches.size(1)));
        return score.masked_fill((matches > Held(last)).any(1), Held(double.NaN)).MoveToOuterDisposeScope();   // on a GPU alone: see CheckMatches
    }

    internal static void CheckPatchVectors(Tensor query, Tensor candidates, long? parts)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(candidates);
        Check.FloatingPoint(query, nameof(query));
        if (query.dim() != 2 || query.size(0) < 1 || query.size(1) < 1 || (parts is not null && query.size(0) != parts))
        {
            throw new ArgumentException($"expected the parts of one image ({parts?.ToString() ?? "Q"}, F), got {Check.Shape(query)}", nameof(query));
        }

        if (candidates.dim() != 3 || candidates.size(1) < 1 || candidates.size(2) != query.size(1) || (parts is not null && candidates.size(1) != parts))
        {
            throw new ArgumentException(
                $"expected the parts of images (B, {parts?.ToString() ?? "P"}, {query.size(1)}), got {Check.Shape(candidates)}", nameof(candidates));
        }

        Check.FloatingPoint(candidates, nameof(candidates));
        Check.LikeParameters(candidates, query, nameof(candidates));
    }

    private static void CheckMatches(Tensor matches, Tensor positions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(matches);
        ArgumentNullException.ThrowIfNull(positions);
        if (matches.dim() != 2 || matches.dtype != ScalarType.Int64 || matches.size(1) < 1)
        {
            throw new ArgumentException($"expected matches (B, Q) of int64, got {matches.dtype} {Check.Shape(matches)}", nameof(matches));
        }

        Check.Dense(matches, nameof(matches));
        Check.Dense(targets, "candidate_positions");
        Check.Exactly(positions, [matches.size(1), 2], nameof(positions));
        if (targets.dim() != 2 || targets.size(0) < 1 || targets.size(1) != 2)
        {
            throw new ArgumentException(
                $"expected positions (P, 2) with P ≥ 1, got {targets.dim()} dimensions {Check.Shape(targets)}", "candidate_positions");
        }

        if (!Check.SameDevice(matches, positions) || !Check.SameDevice(matches, targets))
        {
            throw new ArgumentException($"expected positions on {matches.device} as the matches, got {positions.device} and {targets.device}", nameof(positions));
        }

        if (matches.device_type == DeviceType.CPU && matches.numel() > 0 && matches.max().ToInt64() >= targets.size(0))
        {
            throw new ArgumentException($"expected matches below {targets.size(0)}, got {matches.max().ToInt64()}", nameof(matches));
        }
    }
}
