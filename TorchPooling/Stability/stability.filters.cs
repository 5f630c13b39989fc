using static TorchSharp.torch;

namespace TorchPooling;

/// <content>Smoothness of filters.</content>
public static partial class stability
{
    /// <summary>Total variation of filters in units of their own size: 0 for constant filters, larger for rougher ones.</summary>
    /// <remarks>TV(w)/‖w‖₁, TV(w) = Σ |w[o,i,h,w] − w[o,i,h+1,w]| + |w[o,i,h,w] − w[o,i,h,w+1]| over all neighbours, ‖w‖₁ = Σ|w|; the measure of
    /// Ruderman et al., arXiv 1804.04438, section 4, who find 1.87 for fresh 3×3 filters. Zero filters give NaN.</remarks>
    /// <param name="weight">Filters, shape (C_out, C_in, kH, kW).</param>
    /// <exception cref="ArgumentException"><paramref name="weight"/> has another shape, or is not floating-point.</exception>
    public static double total_variation(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var filters = Filters(weight);
        return Variation(filters) / filters.abs().sum().ToDouble();
    }

    /// <summary>Total variation of filters against that of the same weights shuffled within each filter: below 1 they are smoother than
    /// chance, 1 is white noise on average.</summary>
    /// <remarks>Σ TV(w[o,i]) / Σ E[TV(shuffled w[o,i])], TV as in <see cref="total_variation"/>. The mean over all (kH·kW)! orders is exact,
    /// not drawn: any two of the n = kH·kW weights are as often neighbours, so E[TV] is the number of neighbours,
    /// (kH−1)·kW + kH·(kW−1), times the mean of |a − b| over the n(n−1)/2 pairs. Filters of one weight, or constant ones alone, give
    /// NaN: their shuffles have no variation.</remarks>
    /// <param name="weight">Filters, shape (C_out, C_in, kH, kW).</param>
    /// <exception cref="ArgumentException"><paramref name="weight"/> has another shape, or is not floating-point.</exception>
    public static double total_variation_ratio(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var filters = Filters(weight);
        var (height, width) = (filters.size(2), filters.size(3));
        var count = height * width;
        var (sorted, _) = filters.flatten(2).sort();
        var ranks = arange(Held(1 - count), Held(count), Held(2), dtype: ScalarType.Float64, device: filters.device);
        var gaps = ((sorted - sorted.narrow(2, 0, 1)) * ranks).sum().ToDouble();   // Σ |a − b| over the pairs: the k-th of n is above k and below n − 1 − k; from the smallest on, so that equal weights give 0
        var neighbors = (height - 1) * width + height * (width - 1);
        return gaps == 0 ? double.NaN : Variation(filters) / (neighbors * gaps / (count * (count - 1) / 2.0));
    }

    /// <summary>Share of low frequencies in the energy of filters: 1 for constant filters, 0 for checkerboards of even sides.</summary>
    /// <remarks>Mean over the filters of Σ_low |ŵ|² / Σ |ŵ|², ŵ the discrete Fourier transform over kH×kW, low where neither frequency is
    /// beyond the limit. Frequencies are multiples of 1/kH and 1/kW: at the default 3×3 filters have the mean alone below it, (Σw)²/(9 Σw²).
    /// Zero filters do not count; NaN where there is no other.</remarks>
    /// <param name="weight">Filters, shape (C_out, C_in, kH, kW).</param>
    /// <param name="limit">Cycles per pixel, vertically and horizontally each, 0 to 0.5; 0.25 is what a step of 2 leaves without aliasing.</param>
    /// <exception cref="ArgumentException"><paramref name="weight"/> has another shape, or is not floating-point.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is not within 0 to 0.5.</exception>
    public static double low_frequency_share(Tensor weight, double limit = 0.25)
    {
        using var scope = NewDisposeScope();
        var filters = Filters(weight);
        if (limit is not (>= 0 and <= 0.5))
        {
            throw new ArgumentOutOfRangeException(nameof(limit), limit, "expected 0 to 0.5 cycles per pixel");
        }

        var energy = fft.fft2(filters, dim: [2, 3]).abs().Squared();
        var low = Low(filters.size(2)).unsqueeze(1) * Low(filters.size(3));
        var whole = energy.sum([2, 3]);
        var shares = (energy * low).sum([2, 3]) / whole;
        return shares.masked_select(whole != Held(0)).mean().ToDouble();

        Tensor Low(long size)
        {
            var k = Indices(size, dtype: ScalarType.Float64, device: filters.device);
            return (minimum(k, k.rsub(size)) <= Held(limit * size + 1e-9)).to(ScalarType.Float64);   // k/size would round
        }
    }

    private static double Variation(Tensor filters) =>
        filters.diff(dim: 2).abs().sum().ToDouble() + filters.diff(dim: 3).abs().sum().ToDouble();

    private static Tensor Filters(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 4 || weight.numel() == 0)
        {
            throw new ArgumentException($"expected filters (C_out, C_in, kH, kW), got {weight.dim()} dimensions {Check.Shape(weight)}", nameof(weight));
        }

        Check.FloatingPoint(weight, nameof(weight));
        return weight.detach().to(ScalarType.Float64);
    }
}
