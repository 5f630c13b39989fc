using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>What the VLAD family shares: local descriptors, their soft assignment to clusters, and the two normalisations.</summary>
public static partial class pooling
{
    /// <summary>The descriptors of a map (N, D, H, W) or a set (N, D, M) as (N, D, M), at least float32; zero where the mask is.</summary>
    internal static Tensor local_descriptors(Tensor x, Tensor? mask)
    {
        var points = x.flatten(2).to(Check.AtLeastFloat32(x.dtype));
        return mask is null ? points : points.masked_fill(flat_mask(mask).to(ScalarType.Bool).logical_not(), 0);
    }

    /// <summary>mᵢ·aₖ(xᵢ) of descriptors (N, D, M), shape (N, K, M), and the same over ‖xᵢ‖ where the input is normalised: it
    /// weighs raw descriptors as unit vectors, so that no normalised copy of the map is written.</summary>
    internal static (Tensor share, Tensor scaled) soft_assignment(
        Tensor points, Tensor weight, Tensor? bias, bool normalize_input, Tensor? mask)
    {
        var scale = normalize_input ? inverse_norm(points, 1) : null;
        var logits = weight.flatten(1).to(points.dtype).matmul(points);
        logits = scale is null ? logits : logits * scale;
        logits = bias is null ? logits : logits + bias.to(points.dtype).unsqueeze(1);
        var share = logits.softmax(1);
        share = mask is null ? share : share * flat_mask(mask).to(points.dtype);
        return (share, scale is null ? share : share * scale);
    }

    /// <summary>Unit length for each cluster of (N, K, D), then for the whole, (N, K·D).</summary>
    internal static Tensor intra_normalize(Tensor residuals) => l2_normalize(l2_normalize(residuals, 2).flatten(1), 1);

    /// <summary>Methods of script forms: <see cref="local_descriptors"/>, <see cref="intra_normalize"/>, <see cref="inverse_norm"/>.</summary>
    internal const string descriptors_script =
        """

        def local_descriptors(self, x: Tensor, mask: Optional[Tensor]) -> Tensor:
            points = x.flatten(2)
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                points = points.float()
            if mask is not None:
                points = points.masked_fill(mask.flatten(1).unsqueeze(1) == 0, 0.0)
            return points

        def intra_normalize(self, residuals: Tensor) -> Tensor:
            vlad = (residuals * self.inverse_norm(residuals, 2)).flatten(1)
            return vlad * self.inverse_norm(vlad, 1)

        """ + inverse_norm_script;

    /// <summary>The method of script forms for <see cref="soft_assignment"/> by <c>self.conv</c>.</summary>
    internal static string soft_assignment_script(bool normalize_input, bool bias) =>
        "\n" +
        """
        def soft_assignment(self, points: Tensor, mask: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
            logits = torch.matmul(self.conv.weight.flatten(1).to(points.dtype), points)
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
