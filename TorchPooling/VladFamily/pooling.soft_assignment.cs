using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>What the VLAD family shares: local descriptors, their soft assignment to clusters, and the two normalisations.</summary>
public static partial class pooling
{
    /// <summary>The descriptors of a map (N, D, H, W) or a set (N, D, M) as (N, D, M), at least float32; zero where the mask is.</summary>
    internal static Tensor local_descriptors(Tensor x, Tensor? mask)
    {
        var points = x.flatten(2).to(Check.AtLeastFloat32(x.dtype));
        return mask is null ? points : points.masked_fill(flat_mask(mask).to(ScalarType.Bool).logical_not(), Held(0));
    }

    /// <summary>mᵢ·aₖ(xᵢ) of descriptors (N, D, M), shape (N, K, M), and the same over ‖xᵢ‖ where the input is normalised: it
    /// weighs raw descriptors as unit vectors, so that no normalised copy of the map is written.</summary>
    internal static (Tensor share, Tensor scaled) soft_assignment(
        Tensor points, Tensor weight, Tensor? bias, bool normalize_input, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var scale = normalize_input ? inverse_norm(points, 1) : null;
        var logits = products(points, weight);
        logits = scale is null ? logits : logits * scale;
        logits = bias is null ? logits : logits.Plus(bias.to(points.dtype).unsqueeze(1));
        var share = logits.softmax(1);
        share = mask is null ? share : share * flat_mask(mask).to(points.dtype);
        share.MoveToOuterDisposeScope();
        return (share, scale is null ? share : (share * scale).MoveToOuterDisposeScope());
    }

    /// <summary>wₖᵀxᵢ, (N, K, M). On a CPU a convolution is the faster product, but of a single channels-last map, whose descriptors
    /// are the rows of one matrix; on a GPU it may round to 10 bits (TF32).</summary>
    private static Tensor products(Tensor points, Tensor weight)
    {
        var w = weight.flatten(1).to(points.dtype);
        if (points.device_type != DeviceType.CPU)
        {
            return w.expand(points.size(0), w.size(0), w.size(1)).bmm(points);   // matmul would copy the points for a trained w
        }

        return points.size(0) == 1 && points.stride(1) == 1
            ? nn.functional.linear(points.transpose(1, 2), w).transpose(1, 2)
            : nn.functional.conv2d(points.unsqueeze(2), w.unsqueeze(2).unsqueeze(3)).flatten(2);
    }

    /// <summary>Σᵢ weightₖᵢ·xᵢ, (N, K, D). The gradient of a transposed operand is transposed, so the larger one is taken as it lies.</summary>
    internal static Tensor weighted_sums(Tensor points, Tensor weights) =>
        points.requires_grad && points.stride(1) != 1 && points.size(2) > points.size(1)
            ? points.bmm(weights.transpose(1, 2)).transpose(1, 2).contiguous()
            : weights.bmm(points.transpose(1, 2));

    /// <summary>Unit length for each cluster of (N, K, D), then for the whole, (N, K·D).</summary>
    internal static Tensor intra_normalize(Tensor residuals) => (residuals * intra_scale(residuals)).flatten(1);

    /// <summary>What each cluster of (N, K, D) is multiplied by for both normalisations at once, (N, K, 1).</summary>
    internal static Tensor intra_scale(Tensor residuals)
    {
        if (residuals.device_type != DeviceType.CPU)
        {
            var lengths = residuals.norm(2, keepdim: true);
            var after = (lengths * Held(1e12)).clamp_max(Held(1));   // as below
            return inverse_length(lengths) * inverse_length(after.norm(1, keepdim: true));
        }

        var (squares, unit) = squared_norm(residuals, 2);
        var length = (squares * Held(1e24)).clamp_max(Held(1)).sum(1, keepdim: true);   // after the first: 1 for each cluster, or near 0 less
        return inverse_root(squares, unit) * inverse_root(length, null);
    }

    /// <summary>Describes a batch on a CPU a few images at a time: what lies between stays in its cache, and training does not
    /// hold several gradients of the whole batch at once.</summary>
    internal static Tensor in_slices(Tensor x, Tensor? mask, Func<Tensor, Tensor?, Tensor> describe)
    {
        var n = x.size(0);
        var images = n > 1 && x.device_type == DeviceType.CPU ? Math.Max(1, Slices.Numbers * n / x.numel()) : n;
        if (images >= n)
        {
            return describe(x, mask);
        }

        using var scope = NewDisposeScope();
        var vectors = x.split(images).Select((slice, i) =>
        {
            using var step = NewDisposeScope();
            return describe(slice, mask?.narrow(0, i * images, slice.size(0))).MoveToOuterDisposeScope();
        });
        return cat([.. vectors]).MoveToOuterDisposeScope();
    }

    /// <summary>What <paramref name="pool"/> makes of (points, share, scaled), the descriptors and their soft assignment, in slices.</summary>
    internal static Tensor pool_clusters(
        Tensor x, Tensor weight, Tensor? bias, bool normalize_input, Tensor? mask, Func<Tensor, Tensor, Tensor, Tensor> pool)
    {
        using var scope = NewDisposeScope();
        var first = normalize_input && normalizes_first(weight.size(0), weight.size(1));
        return in_slices(x, mask, Describe).MoveToOuterDisposeScope();

        Tensor Describe(Tensor x, Tensor? mask)
        {
            var points = local_descriptors(x, mask);
            points = first ? l2_normalize(points) : points;
            var (share, scaled) = soft_assignment(points, weight, bias, normalize_input && !first, mask);
            return pool(points, share, scaled).to(x.dtype);
        }
    }

    /// <summary>Training keeps a normalised copy of the map and the shares, or without the copy three of (N, K, M): the less of both.</summary>
    internal static bool normalizes_first(long clusters, long dim) => 2 * clusters > dim;

    /// <summary>The method <c>forward</c> of script forms for <see cref="pool_clusters"/>, over <c>self.pool(points, share, scaled)</c>.</summary>
    internal static string pool_clusters_script(bool normalizes_first) =>
        "\n" +
        $"""
        def forward(self, x: Tensor, mask: Optional[Tensor] = None) -> Tensor:
            if not self.training:  # ONNX Runtime does not know the dtype of what a list holds
                return self.describe(x, mask)
            n = x.size(0)
            images = n
            if n > 1 and x.device == torch.device("cpu"):
                images = max(1, {Slices.Numbers} * n // x.numel())
            if images >= n:
                return self.describe(x, mask)
            vectors: List[Tensor] = []
            for part in x.split(images):
                part_mask = mask
                if mask is not None:
                    part_mask = mask.narrow(0, images * len(vectors), part.size(0))
                vectors.append(self.describe(part, part_mask))
            return torch.cat(vectors)

        def describe(self, x: Tensor, mask: Optional[Tensor]) -> Tensor:
            points = self.local_descriptors(x, mask)
        """
        + (normalizes_first ? "\n    points = points * self.inverse_norm(points, 1)" : "")
        + "\n" +
        """
            share, scaled = self.soft_assignment(points, mask)
            return self.pool(points, share, scaled).to(x.dtype)

        """ + "\n";

    /// <summary>Methods of script forms: <see cref="local_descriptors"/>, <see cref="weighted_sums"/>, <see cref="intra_normalize"/>,
    /// <see cref="intra_scale"/>, <see cref="inverse_norm"/>.</summary>
    internal const string descriptors_script =
        """

        def local_descriptors(self, x: Tensor, mask: Optional[Tensor]) -> Tensor:
            points = x.flatten(2)
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                points = points.float()
            if mask is not None:
                points = points.masked_fill(mask.flatten(1).unsqueeze(1) == 0, 0.0)
            return points

        def weighted_sums(self, points: Tensor, weights: Tensor) -> Tensor:
            if self.training and points.requires_grad and points.stride(1) != 1 and points.size(2) > points.size(1):
                return torch.bmm(points, weights.transpose(1, 2)).transpose(1, 2).contiguous()
            return torch.bmm(weights, points.transpose(1, 2))

        def intra_normalize(self, residuals: Tensor) -> Tensor:
            return (residuals * self.intra_scale(residuals)).flatten(1)

        def intra_scale(self, residuals: Tensor) -> Tensor:
            if not (residuals.device == torch.device("cpu")):
                lengths = torch.linalg_vector_norm(residuals, 2, [2], True)
                after = torch.linalg_vector_norm((lengths * 1e12).clamp_max(1.0), 2, [1], True)
                return self.inverse_length(lengths) * self.inverse_length(after)
            squares, unit = self.squared_norm(residuals, 2)
            length = (squares * 1e24).clamp_max(1.0).sum([1], True)
            return self.inverse_root(squares, unit) * self.inverse_root(length, torch.ones_like(length))

        """ + inverse_norm_script;

    /// <summary>The method of script forms for <see cref="soft_assignment"/> by <c>self.conv</c>.</summary>
    internal static string soft_assignment_script(bool normalize_input, bool bias) =>
        "\n" +
        """
        def soft_assignment(self, points: Tensor, mask: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
            w = self.conv.weight.flatten(1).to(points.dtype)
            if points.device == torch.device("meta"):  # as ONNX's exporter takes it, which knows no strides
                logits = torch.conv2d(points.unsqueeze(2), w.unsqueeze(2).unsqueeze(3)).flatten(2)
            elif not (points.device == torch.device("cpu")):
                logits = torch.bmm(w.expand([points.size(0), w.size(0), w.size(1)]), points)
            elif points.size(0) == 1 and points.stride(1) == 1:
                logits = torch.linear(points.transpose(1, 2), w).transpose(1, 2)
            else:
                logits = torch.conv2d(points.unsqueeze(2), w.unsqueeze(2).unsqueeze(3)).flatten(2)
        """
        + (normalize_input ? "\n    scale = self.inverse_norm(points, 1)\n    logits = logits * scale" : "")
        + (bias ? "\n    logits = logits + self.conv.bias.to(points.dtype).unsqueeze(1)" : "")
        + "\n" +
        """
            share = logits.softmax(1)
            if mask is not None:
                share = share * mask.flatten(1).unsqueeze(1).to(points.dtype)
        """
        + (normalize_input ? "\n    return share, share * scale\n" : "\n    return share, share\n");

    private static Tensor flat_mask(Tensor mask) => mask.flatten(1).unsqueeze(1);

    /// <summary>w and b of the 1×1 convolution, and c: their shapes, dtypes and devices, and those of the descriptors. The rows
    /// of w are <paramref name="clusters"/>, where they are not those of c.</summary>
    private static void CheckClusters(Tensor x, Tensor weight, Tensor? centroids, Tensor? bias, Tensor? mask, long? clusters = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (centroids is not null && centroids.dim() != 2)
        {
            throw new ArgumentException($"expected centres (K, D), got {centroids.dim()} dimensions {Check.Shape(centroids)}", nameof(centroids));
        }

        var parameter = centroids ?? weight;
        Check.FloatingPoint(parameter, centroids is null ? nameof(weight) : nameof(centroids));
        if (centroids is null && weight.dim() is not (2 or 4))
        {
            throw new ArgumentException($"expected weights (K, D, 1, 1) or (K, D), got {weight.dim()} dimensions {Check.Shape(weight)}", nameof(weight));
        }

        if (parameter.size(0) < 1 || parameter.size(1) < 1)
        {
            throw new ArgumentException($"expected K, D ≥ 1, got {Check.Shape(parameter)}", centroids is null ? nameof(weight) : nameof(centroids));
        }

        var (k, d) = (clusters ?? parameter.size(0), parameter.size(1));
        Check.Exactly(weight, weight.dim() == 4 ? [k, d, 1, 1] : [k, d], nameof(weight));
        Check.Descriptors(x, d);
        Check.LikeParameters(x, parameter);
        Check.LikeParameters(weight, parameter, nameof(weight));
        if (bias is not null)
        {
            Check.Exactly(bias, [k], nameof(bias));
            Check.LikeParameters(bias, parameter, nameof(bias));
        }

        Check.Mask(mask, x);
    }
}
