using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Regional maximum activations of convolutions: the normalised maxima of overlapping squares at several scales, summed.</summary>
/// <remarks>
/// <para>y[n] = Σ over regions R of f_R / ‖f_R‖₂, f_R[c] = max over (h,w) in R of x[n,c,h,w]; an all-zero f_R adds 0.</para>
/// <para>Scale l = 1 … L has squares of side ⌊2·min(H, W)/(l + 1)⌋, l of them along the map's short side and l + m − 1
/// along its long one, evenly spread: the i-th of k starts at ⌊i·(length − side)/(k − 1)⌋. m is 1 for a square map, else
/// the m ≥ 2 for which neighbours at l = 1 overlap by as near to 40 % as can be. Scales whose squares would be smaller than
/// a position add nothing. Three scales have 14 + 6·(m − 1) regions: some 14 + 10·(r − 1), and as much more time, for a map
/// r times as long as wide.</para>
/// <para>The paper's PCA-whitening of every f_R is left out. Its authors' code and the PyTorch port
/// (cnnimageretrieval-pytorch, <c>rmac</c>) tries m = 2 … 7 only, too few for maps about five times as long as wide; the
/// port adds the whole map as one more region (add <see cref="MAC"/>, normalised, for that) and divides by ‖f_R‖ + 1e-6.</para>
/// <para>Not normalised: <c>nn.Flatten()</c> and <see cref="L2Normalize"/> after it make the paper's descriptor.</para>
/// <para>Shape: input (N, C, H, W) with H, W ≥ 1; output (N, C, 1, 1), in the input's dtype.</para>
/// <para>Tolias, Sicre, Jégou: Particular Object Retrieval with Integral Max-Pooling of CNN Activations, ICLR 2016.</para>
/// </remarks>
public sealed class RMAC : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly long levels;

    /// <param name="levels">L, the number of scales.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="levels"/> is not positive.</exception>
    public RMAC(long levels = 3)
        : base(nameof(RMAC))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(levels);
        this.levels = levels;
    }

    /// <summary>See <see cref="pooling.rmac"/>.</summary>
    public override Tensor forward(Tensor x) => pooling.rmac(x, levels);

    ScriptDefinition IScriptable.script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            h = x.size(2)
            w = x.size(3)
            map = x
            trains = False
            if not x.device == torch.device("meta"):
                trains = x.requires_grad
                map = self.laid(x)
            short = min(h, w)
            more = self.steps(max(h, w) - short, short)
            maxima: List[Tensor] = []
            pixels: List[Tensor] = []
            for l in range(1, min(self.levels, 2 * short - 1) + 1):
                side = 2 * short // (l + 1)
                rows = l
                columns = l
                if h > w:
                    rows = l + more
                else:
                    columns = l + more
                for i in range(rows):
                    top = i * (h - side) // max(rows - 1, 1)
                    for j in range(columns):
                        left = j * (w - side) // max(columns - 1, 1)
                        y, at = torch.adaptive_max_pool2d(map.narrow(2, top, side).narrow(3, left, side), [1, 1])
                        maxima.append(y)
                        if trains:
                            pixels.append(at + torch.div(at, side, rounding_mode="floor") * (w - side) + (top * w + left))
            regions = torch.cat(maxima, 2)
            if trains:
                regions = x.flatten(2).gather(2, torch.cat(pixels, 2).flatten(2)).unsqueeze(3)
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                regions = regions.float()
            return (regions * self.inverse_norm(regions, 1)).sum([2], True).to(x.dtype)

        def laid(self, x: Tensor) -> Tensor:
            if not x.device == torch.device("cpu"):
                return x.detach()
            if x.size(1) == 1:
                return self.numbered(x).detach()
            return x.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)

        def steps(self, excess: int, side: int) -> int:
            k = 0
            if excess > 0:
                k = 1
                while abs(5 * excess - 3 * side * (k + 1)) * k < abs(5 * excess - 3 * side * k) * (k + 1):
                    k = k + 1
            return k

        """ + PixelNumbers.Script + pooling.inverse_norm_script,
        (nameof(levels), levels));
}

public static partial class pooling
{
    /// <summary>The function behind <see cref="RMAC"/>.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <param name="levels">L, the number of scales.</param>
    /// <returns>Shape (N, C, 1, 1), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a feature map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="levels"/> is not positive.</exception>
    public static Tensor rmac(Tensor x, long levels = 3)
    {
        Check.FeatureMap(x);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(levels);
        using var scope = NewDisposeScope();
        var map = rmac_laid(x);
        var (maxima, pixels) = (new List<Tensor>(), new List<Tensor>());
        foreach (var (top, left, side) in rmac_regions(x.size(2), x.size(3), levels))
        {
            var (y, at) = nn.functional.adaptive_max_pool2d_with_indices(map.narrow(2, top, side).narrow(3, left, side), [1, 1]);
            maxima.Add(y);
            if (x.requires_grad)
            {
                pixels.Add(at.Plus(at.div(Held(side), RoundingMode.floor) * Held(x.size(3) - side)).Plus((top * x.size(3)) + left));
            }
        }

        // Autograd sees one gather of them all.
        var regions = x.requires_grad ? x.flatten(2).gather(2, cat(pixels, 2).flatten(2)).unsqueeze(3) : cat(maxima, 2);   // (N, C, R, 1)
        regions = regions.to(Check.AtLeastFloat32(x.dtype));
        return (regions * inverse_norm(regions, 1)).sum(2, keepdim: true).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>x without its gradient, where libtorch compares it fastest: on a CPU the channels of a pixel side by side.</summary>
    private static Tensor rmac_laid(Tensor x) =>
        x.device_type != DeviceType.CPU ? x.detach()
        : x.size(1) == 1 ? PixelNumbers.Numbered(x).detach()
        : x.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    /// <summary>The squares of every scale.</summary>
    private static IEnumerable<(long Top, long Left, long Side)> rmac_regions(long h, long w, long levels)
    {
        var shortest = Math.Min(h, w);
        var more = rmac_steps(Math.Max(h, w) - shortest, shortest);
        for (var l = 1L; l <= Math.Min(levels, 2 * shortest - 1); l++)
        {
            var side = 2 * shortest / (l + 1);
            foreach (var top in rmac_starts(h, side, h > w ? l + more : l))
            {
                foreach (var left in rmac_starts(w, side, h > w ? l : l + more))
                {
                    yield return (top, left, side);
                }
            }
        }
    }

    private static IEnumerable<long> rmac_starts(long length, long side, long count)
    {
        for (var i = 0L; i < count; i++)
        {
            yield return i * (length - side) / Math.Max(count - 1, 1);
        }
    }

    /// <summary>m − 1: the k ≥ 1 whose overlap 1 − excess/(k·side) is nearest to 0.4, the smaller of two; 0 for a square map.</summary>
    private static long rmac_steps(long excess, long side)
    {
        if (excess == 0)
        {
            return 0;
        }

        var k = 1L;
        while (Gap(k + 1) * k < Gap(k) * (k + 1))
        {
            k++;
        }

        return k;

        long Gap(long steps) => Math.Abs(5 * excess - 3 * side * steps);   // |overlap − 0.4| · 5·k·side
    }
}
