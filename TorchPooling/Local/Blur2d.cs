using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A binomial filter over maps (N, C, H, W), taken at every so many pixels, in C# and in TorchScript.</summary>
/// <remarks>k taps, C(k−1, i) / 2^(k−1), along rows and columns; ⌊(k−1)/2⌋ pixels of padding before the map and ⌈(k−1)/2⌉ behind it,
/// so that H' = ⌊(H−1)/stride⌋ + 1.</remarks>
internal sealed class Blur2d
{
    private const int most_taps = 7;

    private readonly double[] taps;
    private readonly long stride;
    private readonly PaddingModes padding_mode;

    /// <exception cref="ArgumentException"><paramref name="padding_mode"/> is none of zeros, reflect and replicate.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is not 1 to 7, or <paramref name="stride"/> not 1 to the
    /// largest int.</exception>
    public Blur2d(long size, string size_name, long stride, PaddingModes padding_mode)
    {
        Check.Range(size, 1, most_taps, size_name);
        Check.Range(stride, 1, int.MaxValue, nameof(stride));
        if (padding_mode is not (PaddingModes.Zeros or PaddingModes.Reflect or PaddingModes.Replicate))
        {
            throw new ArgumentException($"expected Zeros, Reflect or Replicate, got {padding_mode}", nameof(padding_mode));
        }

        taps = Binomial((int)size);
        (this.stride, this.padding_mode) = (stride, padding_mode);
    }

    /// <summary>The filtered map, (N, C, H', W').</summary>
    /// <exception cref="ArgumentException">The map is too small to be reflected.</exception>
    public Tensor Of(Tensor x)
    {
        long before = (taps.Length - 1) / 2, after = taps.Length / 2;
        if (padding_mode == PaddingModes.Reflect && Math.Min(x.size(2), x.size(3)) <= after)
        {
            throw new ArgumentException(
                $"expected a map of at least {after + 1}×{after + 1} to reflect {after} of its pixels (Replicate and Zeros take any), "
                + $"got {x.size(2)}×{x.size(3)} (H×W)", nameof(x));
        }

        using var scope = NewDisposeScope();
        var padded = nn.functional.pad(
            x, [before, after, before, after], padding_mode == PaddingModes.Zeros ? PaddingModes.Constant : padding_mode, 0);
        return Along(Along(padded, 2), 3).MoveToOuterDisposeScope();
    }

    private Tensor Along(Tensor x, int dim)
    {
        var last = (x.size(dim) - taps.Length) / stride * stride;
        var y = x.slice(dim, 0, last + 1, stride) * Held(taps[0]);
        for (var i = 1; i < taps.Length; i++)
        {
            y = y.add(x.slice(dim, i, i + last + 1, stride), alpha: Held(taps[i]));
        }

        return y;
    }

    private static double[] Binomial(int size)
    {
        double[] row = [1];
        while (row.Length < size)
        {
            row = [.. row.Append(0).Zip(row.Prepend(0), (a, b) => (a + b) / 2)];
        }

        return row;
    }

    /// <summary>The settings, as <see cref="Script"/> reads them.</summary>
    public (string, object?)[] Attributes => [(nameof(taps), taps), ("blur_stride", stride)];

    /// <summary>TorchScript methods: <c>self.blurred(x)</c> is <see cref="Of"/>.</summary>
    public string Script
    {
        get
        {
            var padded = padding_mode switch
            {
                PaddingModes.Zeros => "constant_pad_nd(x, [before, after, before, after], 0.0)",
                PaddingModes.Reflect => "reflection_pad2d(x, [before, after, before, after])",
                _ => "replication_pad2d(x, [before, after, before, after])",
            };
            return $"""
                def blurred(self, x: Tensor) -> Tensor:
                    before = (len(self.taps) - 1) // 2
                    after = len(self.taps) // 2
                    padded = torch.{padded}
                    return self.blurred_along(self.blurred_along(padded, 2), 3)

                def blurred_along(self, x: Tensor, dim: int) -> Tensor:
                    last = (x.size(dim) - len(self.taps)) // self.blur_stride * self.blur_stride
                    y = x.slice(dim, 0, last + 1, self.blur_stride) * self.taps[0]
                    for i in range(1, len(self.taps)):
                        y = torch.add(y, x.slice(dim, i, i + last + 1, self.blur_stride), alpha=self.taps[i])
                    return y

                """;
        }
    }
}
