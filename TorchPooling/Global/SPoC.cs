using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Sum-pooled convolutional features: the sum of each channel over the whole map, plain or weighted towards its centre.</summary>
/// <remarks>
/// <para>y[n,c] = Σ over h,w of α(h,w)·x[n,c,h,w]. α = 1, or with the centre prior
/// α(h,w) = exp(−((h − (H−1)/2)² + (w − (W−1)/2)²) / (2σ²)), σ = min(H, W)/6: one third of the distance from the centre to
/// the nearest border.</para>
/// <para>Made for maps after a ReLU; negative activations are summed with their sign. A sum beyond the range of the dtype
/// (65504 in float16) is infinite: <see cref="LogSumExp2d"/> and <see cref="GeM2d"/> do not grow with the map.</para>
/// <para>Not normalised: <c>nn.Flatten()</c> and <see cref="L2Normalize"/> after it make the paper's descriptor before its PCA.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>The PyTorch port (cnnimageretrieval-pytorch, <c>spoc</c>) is the mean, without prior: the same once normalised.</para>
/// <para>Babenko, Lempitsky: Aggregating Local Deep Features for Image Retrieval, ICCV 2015 (arXiv 1510.07493); its centre
/// (H/2, W/2) is that of the map, here with h and w counted from 0 at the middle of a position.</para>
/// </remarks>
public sealed class SPoC : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly bool center_prior;

    /// <param name="center_prior">Weigh the positions by a Gaussian about the map's centre.</param>
    public SPoC(bool center_prior = false)
        : base(nameof(SPoC)) => this.center_prior = center_prior;

    /// <summary>See <see cref="pooling.spoc"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.spoc(x, center_prior);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            wide = x
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                wide = x.float()
            if self.center_prior:
                sigma = min(x.size(2), x.size(3)) / 6.0
                down = self.gaussian(x.size(2), sigma, wide)
                across = self.gaussian(x.size(3), sigma, wide)
                y = torch.matmul(torch.matmul(wide, across), down).unsqueeze(2).unsqueeze(3)
            else:
                y = wide.sum([2, 3], True)
            return y.to(x.dtype)

        def gaussian(self, length: int, sigma: float, x: Tensor) -> Tensor:
            steps = (torch.arange(length, dtype=x.dtype, device=x.device) - (length - 1) / 2.0) / sigma
            return (steps.square() * -0.5).exp()
        """,
        (nameof(center_prior), center_prior));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="SPoC"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="center_prior">Weigh the positions by a Gaussian about the map's centre.</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    public static Tensor spoc(Tensor x, bool center_prior = false)
    {
        Check.FeatureMap(x);
        using var scope = NewDisposeScope();
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        var y = center_prior ? centered_sum(wide) : wide.sum([2, 3], keepdim: true);
        return y.to(x.dtype).MoveToOuterDisposeScope();
    }

    // The Gaussian is a product of one of h and one of w: two matrix products, and no weighted copy of the map.
    private static Tensor centered_sum(Tensor x)
    {
        var (h, w) = (x.size(2), x.size(3));
        var sigma = Math.Min(h, w) / 6.0;
        return x.matmul(gaussian(w, sigma, x)).matmul(gaussian(h, sigma, x)).unsqueeze(2).unsqueeze(3);
    }

    private static Tensor gaussian(long length, double sigma, Tensor x)
    {
        var steps = (Indices(length, dtype: x.dtype, device: x.device) - Held((length - 1) / 2.0)) / Held(sigma);
        return (steps.Squared() * Held(-0.5)).exp();
    }
}
