using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Patch-NetVLAD: a NetVLAD vector of every square window of a map, to compare two images part by part.</summary>
/// <remarks>
/// <para>The map is assigned once; over each window of d×d descriptors, V[k] = Σᵢ aₖ(xᵢ)·(xᵢ − cₖ), normalised as in
/// <see cref="NetVLAD"/>: each vector is what NetVLAD makes of the window alone. (The authors' code divides the sums by d², which the
/// normalisation undoes.) Patches of the first size come first, in row-major order, then those of the next. Computed as one
/// product per window, so that nothing cancels, as it does in differences of the paper's integral sums: it takes d² copies of
/// the map and its assignment for size d and stride 1, in turn, where the vectors themselves are K of the map.</para>
/// <para>Parameters as of <see cref="NetVLAD"/>, whose weights load by name: <c>conv.weight</c>, <c>conv.bias</c> where there is
/// one, <c>centroids</c>. <see cref="spatial_scores"/> compares the vectors of two images, these or a projection of them.</para>
/// <para>Shape: input (N, D, H, W), H and W at least the largest patch; output (N, P, K·D), in the input's dtype.</para>
/// <para>Hausler, Garg, Xu, Milford, Fischer: Patch-NetVLAD: Multi-Scale Fusion of Locally-Global Descriptors for Place
/// Recognition, CVPR 2021 (sizes 2, 5, 8 at stride 1 in its authors' configuration).</para>
/// </remarks>
public sealed class PatchNetVLAD : ClusterPooling
{
    private readonly Parameter centroids;
    private readonly long[] patch_sizes;
    private readonly long[] strides;

    /// <param name="num_clusters">K, the number of clusters.</param>
    /// <param name="dim">D, the length of a descriptor: the channels of the map.</param>
    /// <param name="patch_sizes">The edges d of the windows; 2, 5, 8 where null.</param>
    /// <param name="strides">The steps from window to window, one for each size; 1 where null.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="bias">As in <see cref="NetVLAD"/>.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="num_clusters"/> or <paramref name="dim"/> is not positive.</exception>
    /// <exception cref="ArgumentException">There are no sizes, not as many strides as sizes, or one of them is not positive; or
    /// <paramref name="dtype"/> is no floating-point type.</exception>
    public PatchNetVLAD(
        long num_clusters, long dim, long[]? patch_sizes = null, long[]? strides = null, bool normalize_input = true, bool bias = false,
        Device? device = null, ScalarType? dtype = null)
        : base(nameof(PatchNetVLAD), num_clusters, dim, normalize_input, bias, device, dtype)
    {
        this.patch_sizes = [.. patch_sizes ?? [2, 5, 8]];
        this.strides = [.. strides ?? Enumerable.Repeat(1L, this.patch_sizes.Length)];
        pooling.CheckPatches(this.patch_sizes, this.strides);
        centroids = Centers(num_clusters, dim, device, dtype);
        RegisterComponents();
        StartAtRandom();
    }

    /// <summary>The length of the vector of one patch.</summary>
    public override long output_length => centroids.numel();

    /// <summary>The vectors of all patches of a batch.</summary>
    /// <param name="x">Shape (N, D, H, W).</param>
    /// <returns>Shape (N, P, <see cref="output_length"/>), P as <see cref="positions"/> tells.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is no feature map, smaller than a patch, or not of the dtype and
    /// device of the parameters.</exception>
    public override Tensor forward(Tensor x) => forward(x, null);

    /// <summary>The vectors of all patches, of which only some descriptors count.</summary>
    /// <param name="x">Shape (N, D, H, W).</param>
    /// <param name="mask">Shape (N, H, W): bool, or a weight ≥ 0. Where it is false or 0, <paramref name="x"/> may hold anything.
    /// Null: all count once. Weights are not checked: a negative one takes away, a NaN makes its patches NaN.</param>
    /// <returns>Shape (N, P, <see cref="output_length"/>); zeros for a patch whose mask is 0 throughout.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> or <paramref name="mask"/> has another shape, dtype or device.</exception>
    public override Tensor forward(Tensor x, Tensor? mask) =>
        pooling.patch_netvlad(x, conv!.weight, centroids, patch_sizes, strides, conv.bias, normalize_input, mask);

    /// <summary>Where the patches of a map lie: row and column of their first descriptor, one tensor for each size.</summary>
    /// <param name="height">H of the map.</param>
    /// <param name="width">W of the map.</param>
    /// <returns>For each size shape (number of its patches, 2), int64; the numbers add up to P.</returns>
    /// <exception cref="ArgumentException">The map is smaller than a patch.</exception>
    public Tensor[] positions(long height, long width)
    {
        pooling.CheckHoldsPatches(height, width, patch_sizes, height < width ? nameof(height) : nameof(width));
        foreach (var (size, stride) in patch_sizes.Zip(strides))
        {
            long[] grid = [((height - size) / stride) + 1, ((width - size) / stride) + 1, 2];
            Check.Memory(grid, ScalarType.Int64, height > width ? nameof(height) : nameof(width), copies: patch_sizes.Length);
        }

        return [.. patch_sizes.Zip(strides, (size, stride) => Grid(height - size + 1, width - size + 1, stride))];

        Tensor Grid(long rows, long columns, long stride)
        {
            using var scope = NewDisposeScope();
            return cartesian_prod(Steps(rows), Steps(columns)).MoveToOuterDisposeScope();

            Tensor Steps(long end) => arange(Held(0), Held(end), Held(stride), device: centroids.device);
        }
    }

    /// <summary>How well the patches of other images agree with those of one, in what they show and in how they lie.</summary>
    /// <remarks>Σ over the sizes of w times <see cref="pooling.spatial_score"/> of the <see cref="pooling.mutual_matches"/>. A score
    /// grows with the square of the number of patches in a row or column of that size. (The authors' code standardises the
    /// scores of each size over the candidates first.)</remarks>
    /// <param name="query">The patches of one image, shape (P, F): this layer's output or a projection of it.</param>
    /// <param name="candidates">Those of B others, shape (B, P, F).</param>
    /// <param name="height">H of all the maps: not to be taken for W, which the number of patches alone does not tell.</param>
    /// <param name="width">W of all the maps.</param>
    /// <param name="weights">w, one for each patch size (0.45, 0.15, 0.4 for 2, 5, 8 in the authors' configuration); null for
    /// equal ones that sum to 1.</param>
    /// <returns>Shape (B); larger is better.</returns>
    /// <exception cref="ArgumentException">A shape is another, dtypes or devices differ, or there are not as many weights as
    /// sizes.</exception>
    public Tensor spatial_scores(Tensor query, Tensor candidates, long height, long width, double[]? weights = null)
    {
        Array.ForEach(weights ?? [], weight => Check.Finite(weight, nameof(weights)));
        weights ??= [.. patch_sizes.Select(_ => 1.0 / patch_sizes.Length)];
        if (weights.Length != patch_sizes.Length)
        {
            throw new ArgumentException($"expected {patch_sizes.Length} weights, one for each patch size, got {weights.Length}", nameof(weights));
        }

        using var scope = NewDisposeScope();
        var grids = positions(height, width);
        pooling.CheckPatchVectors(query, candidates, grids.Sum(grid => grid.size(0)));
        var scores = zeros(candidates.size(0), dtype: Check.AtLeastFloat32(query.dtype), device: query.device);
        var start = 0L;
        foreach (var (grid, weight) in grids.Zip(weights))
        {
            using var step = NewDisposeScope();
            var count = grid.size(0);
            var matches = pooling.mutual_matches(query.narrow(0, start, count), candidates.narrow(1, start, count));
            scores.add_(pooling.spatial_score(matches, grid.to(query.device)).to(scores.dtype), alpha: Held(weight));
            start += count;
        }

        return scores.MoveToOuterDisposeScope();
    }

    private protected override void SetCentroids(Tensor centers, double alpha) => centroids.copy_(centers);

    private protected override ScriptDefinition Script() => new(
        """
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            points = self.local_descriptors(x, mask)
            share, scaled = self.soft_assignment(points, mask)
            n, h, w = x.size(0), x.size(2), x.size(3)
            centroids = self.centroids.to(points.dtype)
            patches: List[Tensor] = []
            for size, stride in zip(self.patch_sizes, self.strides):
                windows = self.windows(points, h, w, size, stride)
                weights = self.windows(scaled, h, w, size, stride).transpose(1, 2)
                total = self.windows(share, h, w, size, stride).sum([1]).unsqueeze(2)
                sums = torch.bmm(weights, windows).addcmul_(total, centroids, value=-1)
                vlad = sums * self.intra_scale(sums)
                count = ((h - size) // stride + 1) * ((w - size) // stride + 1)
                patches.append(vlad.view([n, count, centroids.numel()]))
            return torch.cat(patches, 1).to(x.dtype)

        def windows(self, x: Tensor, h: int, w: int, size: int, stride: int) -> Tensor:
            n, c = x.size(0), x.size(1)
            grid = x.view([n, c, h, w]).permute([0, 2, 3, 1]).contiguous()
            views = grid.unfold(1, size, stride).unfold(2, size, stride)
            return views.permute([0, 1, 2, 4, 5, 3]).reshape([n * views.size(1) * views.size(2), size * size, c])
        """,
        (nameof(patch_sizes), patch_sizes), (nameof(strides), strides));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="PatchNetVLAD"/>.</summary>
    /// <param name="x">Shape (N, D, H, W).</param>
    /// <param name="weight">w, shape (K, D, 1, 1) or (K, D).</param>
    /// <param name="centroids">c, shape (K, D).</param>
    /// <param name="patch_sizes">The edges of the windows.</param>
    /// <param name="strides">The steps from window to window, one for each size; 1 where null.</param>
    /// <param name="bias">b, shape (K), or null for 0.</param>
    /// <param name="normalize_input">Scale every descriptor to unit length first.</param>
    /// <param name="mask">Which descriptors count, or their weights, shape (N, H, W); null for all.</param>
    /// <returns>Shape (N, P, K·D), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException">A shape is another, or dtypes or devices differ; the map is smaller than a patch; there are
    /// no sizes, not as many strides as sizes, or one of them is not positive.</exception>
    public static Tensor patch_netvlad(
        Tensor x, Tensor weight, Tensor centroids, long[] patch_sizes, long[]? strides = null, Tensor? bias = null,
        bool normalize_input = true, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(patch_sizes);
        ArgumentNullException.ThrowIfNull(centroids);
        strides ??= [.. patch_sizes.Select(_ => 1L)];
        CheckPatches(patch_sizes, strides);
        Check.FeatureMap(x);
        CheckClusters(x, weight, centroids, bias, mask);
        var (n, h, w) = (x.size(0), x.size(2), x.size(3));
        CheckHoldsPatches(h, w, patch_sizes, nameof(x));
        using var scope = NewDisposeScope();
        var points = local_descriptors(x, mask);
        var (share, scaled) = soft_assignment(points, weight, bias, normalize_input, mask);
        var patches = patch_sizes.Zip(strides, (size, stride) =>
        {
            Tensor Windows(Tensor rows) => windows(rows.view(n, rows.size(1), h, w), size, stride);
            var total = Windows(share).sum(1).unsqueeze(2);
            var sums = Windows(scaled).transpose(1, 2).bmm(Windows(points)).addcmul_(total, centroids.to(points.dtype), Held(-1));
            return (sums * intra_scale(sums)).view(n, ((h - size) / stride + 1) * ((w - size) / stride + 1), centroids.numel());
        });
        return cat([.. patches], 1).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The windows of maps (N, C, H, W) as sets, (N·P, size², C).</summary>
    private static Tensor windows(Tensor maps, long size, long stride)
    {
        using var scope = NewDisposeScope();
        var views = maps.permute(0, 2, 3, 1).contiguous().unfold(1, size, stride).unfold(2, size, stride);   // (N, rows, columns, C, size, size)
        return views.permute(0, 1, 2, 4, 5, 3)
            .reshape(maps.size(0) * views.size(1) * views.size(2), size * size, maps.size(1)).MoveToOuterDisposeScope();
    }

    internal static void CheckPatches(long[] patch_sizes, long[] strides)
    {
        if (patch_sizes.Length == 0 || patch_sizes.Min() < 1)
        {
            throw new ArgumentException($"expected one or more positive patch sizes, got [{string.Join(", ", patch_sizes)}]", nameof(patch_sizes));
        }

        if (strides.Length != patch_sizes.Length || strides.Min() < 1 || strides.Max() > int.MaxValue)
        {
            throw new ArgumentException(
                $"expected {patch_sizes.Length} positive strides, one for each patch size, got [{string.Join(", ", strides)}]", nameof(strides));
        }
    }

    internal static void CheckHoldsPatches(long height, long width, long[] patch_sizes, string name)
    {
        var largest = patch_sizes.Max();
        if (height < largest || width < largest)
        {
            throw new ArgumentException($"expected a map that holds patches of {largest}×{largest}, got {height}×{width} (H×W)", name);
        }
    }
}
