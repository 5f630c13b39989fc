using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The statistic that a bin of a pyramid holds.</summary>
public enum BinReduction
{
    /// <summary>The maximum; over ties the first in row-major order takes the gradient.</summary>
    Max,

    /// <summary>The mean.</summary>
    Avg,
}

/// <summary>How a side of length a is cut into n bins.</summary>
public enum BinRule
{
    /// <summary>Bin i covers ⌊i·a/n⌋ … ⌈(i+1)·a/n⌉ − 1, as PyTorch's adaptive pooling: any a, n ≥ 1, bins may overlap.</summary>
    Adaptive,

    /// <summary>Window ⌈a/n⌉ with stride ⌊a/n⌋, as the SPPNet paper trains: only for sizes where that yields n bins.</summary>
    SppNet,
}

/// <summary>A spatial pyramid over sequences (N, C, L), maps (N, C, H, W) or volumes (N, C, D, H, W), in C# and in TorchScript.</summary>
internal sealed class Pyramid
{
    /// <summary>Bins of all levels together: a slip in a level shall be an error, not all of the memory.</summary>
    private const long MostBins = 1 << 24;

    private readonly int dimensions;
    private readonly long[] levels;
    private readonly BinReduction reduction;
    private readonly BinRule bins;

    /// <param name="dimensions">Sides of the input, 1 to 3.</param>
    /// <param name="levels">Bins a side of each level.</param>
    /// <param name="reduction">The statistic of a bin.</param>
    /// <param name="bins">How a side is cut.</param>
    /// <exception cref="ArgumentException"><paramref name="levels"/> are none, below 1 or too many bins.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="reduction"/> or <paramref name="bins"/> is undefined.</exception>
    public Pyramid(int dimensions, long[] levels, BinReduction reduction, BinRule bins)
    {
        CheckLevels(levels, dimensions, nameof(levels));
        if (!Enum.IsDefined(reduction))
        {
            throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "expected Max or Avg");
        }

        if (!Enum.IsDefined(bins))
        {
            throw new ArgumentOutOfRangeException(nameof(bins), bins, "expected Adaptive or SppNet");
        }

        this.dimensions = dimensions;
        this.levels = [.. levels];
        this.reduction = reduction;
        this.bins = bins;
    }

    /// <summary>Bins of all levels: Σn, Σn² or Σn³.</summary>
    public long Bins => levels.Sum(n => (long)Math.Pow(n, dimensions));

    /// <summary>One or more levels of at least 1 bin a side, not more than 2²⁴ bins together.</summary>
    public static void CheckLevels(long[] levels, int dimensions, string name)
    {
        ArgumentNullException.ThrowIfNull(levels, name);
        if (levels.Length == 0 || levels.Min() < 1)
        {
            throw new ArgumentException($"expected one or more levels of at least 1 bin a side, got [{string.Join(", ", levels)}]", name);
        }

        if (levels.Sum(n => Math.Pow(n, dimensions)) > MostBins)   // in floating point, where no level overflows
        {
            throw new ArgumentException($"expected levels of not more than {MostBins} bins together, got [{string.Join(", ", levels)}]", name);
        }
    }

    /// <summary>The levels one after another, each flattened, (N, C·<see cref="Bins"/>), in <paramref name="x"/>'s dtype.</summary>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or a size that the rule does not cut.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The output does not fit into memory.</exception>
    public Tensor Of(Tensor x)
    {
        Check.Map(x, dimensions);
        Check.Memory([x.size(0), x.size(1), Bins], x.dtype, nameof(levels));
        if (IsPlanarMax && x.device_type == DeviceType.CPU && (x.numel() >= Maxima.Least || (x.requires_grad && x.dtype != Check.AtLeastFloat32(x.dtype))))
        {
            return Planar(x);
        }

        using var scope = NewDisposeScope();
        var wide = reduction == BinReduction.Avg ? x.to(Check.AtLeastFloat32(x.dtype)) : PixelNumbers.Numbered(x);
        var from = reduction == BinReduction.Avg ? Finest(wide) : wide;
        return cat(Array.ConvertAll(levels, n => Level(from, n).flatten(1)), 1).to(x.dtype).MoveToOuterDisposeScope();
    }

    // Where all bins are as large and do not overlap, those of a coarser level are means of the finest's.
    private Tensor Finest(Tensor x)
    {
        var n = levels.Max();
        return levels.Any(each => n % each != 0) || x.shape[2..].Any(a => a % n != 0) ? x : Level(x, n);
    }

    private bool IsPlanarMax => (dimensions, reduction) == (2, BinReduction.Max);

    private Tensor Planar(Tensor x)
    {
        if (bins == BinRule.SppNet)
        {
            Array.ForEach(levels, n => CheckRule(x.shape[2..], n));
        }

        return Maxima.Of(x, levels, bins == BinRule.Adaptive);
    }

    private Tensor Level(Tensor x, long n) => bins == BinRule.Adaptive ? Adaptive(x, n) : Windows(x, n);

    private Tensor Adaptive(Tensor x, long n) => (dimensions, reduction) switch
    {
        (1, BinReduction.Max) => nn.functional.adaptive_max_pool1d(x, n),
        (2, BinReduction.Max) => nn.functional.adaptive_max_pool2d(x, [n, n]),
        (3, BinReduction.Max) => AdaptiveMax3d(x, n),
        (1, _) => nn.functional.adaptive_avg_pool1d(x, n),
        (2, _) => nn.functional.adaptive_avg_pool2d(x, [n, n]),
        _ => nn.functional.adaptive_avg_pool3d(x, [n, n, n]),
    };

    // TorchSharp 0.107's adaptive_max_pool3d calls libtorch's for 1d and throws. Planes first and depth last gives the same
    // maxima, and of tied ones the same first.
    private static Tensor AdaptiveMax3d(Tensor x, long n)
    {
        var planes = nn.functional.adaptive_max_pool2d(x.flatten(1, 2), [n, n]).unflatten(1, x.size(1), x.size(2));
        var columns = planes.permute(0, 1, 3, 4, 2).flatten(1, 3);   // (N, C·n·n, D)
        return nn.functional.adaptive_max_pool1d(columns, n).unflatten(1, x.size(1), n, n).permute(0, 1, 4, 2, 3);
    }

    private Tensor Windows(Tensor x, long n)
    {
        var sides = x.shape[2..];
        CheckRule(sides, n);
        var window = Array.ConvertAll(sides, a => (a + n - 1) / n);
        var stride = Array.ConvertAll(sides, a => a / n);
        return (dimensions, reduction) switch
        {
            (1, BinReduction.Max) => nn.functional.max_pool1d(x, window[0], stride[0]),
            (2, BinReduction.Max) => nn.functional.max_pool2d(x, window, stride),
            (3, BinReduction.Max) => nn.functional.max_pool3d(x, window, stride),
            (1, _) => nn.functional.avg_pool1d(x, window[0], stride[0]),
            (2, _) => nn.functional.avg_pool2d(x, window, stride),
            _ => nn.functional.avg_pool3d(x, window, stride),
        };
    }

    // a = q·n + r: the windows ⌈a/n⌉ at stride q yield n bins exactly where r ≤ q and q ≥ 1.
    private static void CheckRule(long[] sides, long n)
    {
        if (sides.Any(a => a < n || a % n > a / n))
        {
            var map = sides.Length == 1 ? $"a sequence of {sides[0]}" : $"a {string.Join('×', sides)} map";
            throw new ArgumentException(
                $"the SPPNet rule (window ⌈a/n⌉, stride ⌊a/n⌋) does not cut {map} into {string.Join('×', sides.Select(_ => n))} bins: "
                + "take BinRule.Adaptive, which does for every size, or another input size or level", "x");
        }
    }

    /// <summary>The module's TorchScript form.</summary>
    public ScriptDefinition Script() => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
        {(bins == BinRule.SppNet ? "    self.check(x)\n" : "")}{ForwardScript}

        def plain(self, x: Tensor) -> Tensor:
            wide = x
        {(reduction == BinReduction.Max ? "" : "    if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16\n        wide = x.float()\n")}    pyramid: List[Tensor] = []
            for n in self.levels:
                pyramid.append(self.level(wide, n).flatten(1))
            return torch.cat(pyramid, 1).to(x.dtype)

        def level(self, x: Tensor, n: int) -> Tensor:
            return {LevelScript}

        """
        + (bins == BinRule.SppNet ? WindowsScript : "") + (reduction == BinReduction.Avg ? FinestScript : "")
        + (IsPlanarMax ? Maxima.Script : reduction == BinReduction.Max ? PixelNumbers.Script : ""),
        (nameof(levels), levels));

    // ONNX has no layouts, and its exporter takes all devices for equal.
    private string ForwardScript => "    if x.device == torch.device(\"meta\"):\n        return self.plain(x)\n" + (dimensions, reduction) switch
    {
        (2, BinReduction.Max) =>
            "    small_dtype = x.dtype == 5 or x.dtype == 15  # float16, bfloat16\n"
            + $"    small = x.numel() < {Maxima.Least} and not (x.requires_grad and small_dtype)\n"
            + "    if small or not (x.device == torch.device(\"cpu\")):\n        return self.plain(x)\n"
            + $"    return self.maxima(x, self.levels, {(bins == BinRule.Adaptive ? "True" : "False")})",
        (_, BinReduction.Max) => "    return self.plain(self.numbered(x)).to(x.dtype)",
        _ => "    return self.plain(self.finest(x)).to(x.dtype)",
    };

    private string LevelScript
    {
        get
        {
            var pool = $"{(reduction == BinReduction.Max ? "max" : "avg")}_pool{dimensions}d";
            return bins == BinRule.SppNet ? $"torch.{pool}(x, self.window(x, n), self.stride(x, n))"
                : $"torch.adaptive_{pool}(x, [{string.Join(", ", Enumerable.Repeat("n", dimensions))}])" + (reduction == BinReduction.Max ? "[0]" : "");
        }
    }

    private const string FinestScript =
        """

        def finest(self, x: Tensor) -> Tensor:
            if x.dtype == 5 or x.dtype == 15:  # float16, bfloat16
                x = x.float()
            n = max(self.levels)
            even = True
            for each in self.levels:
                even = even and n % each == 0
            for a in x.size()[2:]:
                even = even and a % n == 0
            if even:
                return self.level(x, n)
            return x

        """;

    private const string WindowsScript =
        """

        def check(self, x: Tensor):
            for n in self.levels:
                for a in x.size()[2:]:
                    if a < n or a % n > a // n:
                        ops.prim.RaiseException("the SPPNet rule (window ceil(a/n), stride floor(a/n)) does not give n bins for this map size and level")

        def window(self, x: Tensor, n: int) -> List[int]:
            window: List[int] = []
            for a in x.size()[2:]:
                window.append((a + n - 1) // n)
            return window

        def stride(self, x: Tensor, n: int) -> List[int]:
            stride: List[int] = []
            for a in x.size()[2:]:
                stride.append(a // n)
            return stride

        """;
}
