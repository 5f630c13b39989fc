using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Embedding tables. TorchSharp keeps their settings in native code, so they are read off what the module does.</summary>
internal static class EmbeddingForms
{
    private const string Renorm = "    torch.embedding_renorm_(self.weight.detach(), x.reshape([-1]), self.max_norm, self.norm_type)\n";

    private sealed record Settings(double? MaxNorm, double NormType, long? PaddingIndex, bool ScaleByFrequency, bool Sparse);

    public static void Add()
    {
        ScriptForms.Add<Embedding>(Table);
        ScriptForms.Add<EmbeddingBag>(Bag);
    }

    private static ScriptDefinition Table(Embedding embedding)
    {
        var settings = ScriptForms.Restored([embedding.weight!], () => Observe(embedding.weight!, embedding.forward));
        return new(
            "def forward(self, x: Tensor) -> Tensor:\n" + (settings.MaxNorm is null ? "" : Renorm)
            + "    return torch.embedding(self.weight, x, self.padding_idx, self.scale_grad_by_freq, self.sparse)",
            [.. Attributes(settings), ("padding_idx", settings.PaddingIndex ?? -1)]);
    }

    private static ScriptDefinition Bag(EmbeddingBag bag)
    {
        var weight = bag.weight!;
        var (settings, mode, last) = ScriptForms.Restored([weight], () =>
        {
            var last = IncludesLastOffset(bag, weight);
            var settings = Observe(weight, indices => bag.forward(indices, Indices(indices.size(0) + (last ? 1 : 0), device: weight.device), null));
            return (settings, Mode(bag, weight, settings.PaddingIndex, last), last);
        });
        return new(
            "def forward(self, x: Tensor, offsets: Optional[Tensor]=None, per_sample_weights: Optional[Tensor]=None) -> Tensor:\n"
            + (settings.MaxNorm is null ? "" : Renorm)
            + """
                  if x.dim() == 2:
                      starts = torch.arange(0, x.numel(), x.size(1), device=x.device)
                  else:
                      assert offsets is not None, "a 1-D input needs offsets"
                      starts = offsets
                  weights = per_sample_weights
                  if weights is not None:
                      weights = weights.reshape([-1])
                  return torch.embedding_bag(self.weight, x.reshape([-1]), starts, self.scale_grad_by_freq, self.mode, self.sparse, weights, self.include_last_offset, self.padding_idx)[0]
              """,
            [.. Attributes(settings), ("padding_idx", settings.PaddingIndex), ("mode", (long)mode), ("include_last_offset", last)]);
    }

    private static (string, object?)[] Attributes(Settings settings) =>
    [
        ("scale_grad_by_freq", settings.ScaleByFrequency), ("sparse", settings.Sparse),
        .. settings.MaxNorm is null ? Array.Empty<(string, object?)>() : [("max_norm", settings.MaxNorm), ("norm_type", settings.NormType)],
    ];

    private static Settings Observe(Tensor weight, Func<Tensor, Tensor> look)
    {
        var (padding, scaled, sparse) = ObserveGradient(weight.requires_grad_(true), look);
        var (maxNorm, normType) = padding == 0 && weight.size(0) == 1 ? (null, 2) : ObserveNorm(weight, look, padding == 0 ? 1 : 0);
        return new(maxNorm, normType, padding, scaled, sparse);
    }

    /// <summary>A far too long row comes back with the largest length allowed, and with two equal entries it tells the norm.</summary>
    private static (double? MaxNorm, double NormType) ObserveNorm(Tensor weight, Func<Tensor, Tensor> look, long number)
    {
        const double Long = 4096;   // exact in every dtype
        using var gradients = no_grad();
        using var first = full(1, Held(number), dtype: ScalarType.Int64, device: weight.device);
        var row = weight[number];
        row.zero_();
        row[0] = Long;
        var length = look(first)[0, 0].ToDouble();
        if (length == Long)
        {
            return (null, 2);
        }

        row.narrow(0, 0, Math.Min(2, row.size(0))).fill_(Held(Long));
        var ratio = row.size(0) == 1 ? Math.Sqrt(2) : length / look(first)[0, 0].ToDouble();   // 2^(1/p)
        return (Written(length, weight.dtype), Written(1 / Math.Log2(ratio), ScalarType.Float16));
    }

    /// <summary>The gradient is 1 in a row looked up, 0 in the padding, and 2 or, scaled by frequency, 1 in a row looked up twice.</summary>
    private static (long? Padding, bool Scaled, bool Sparse) ObserveGradient(Tensor weight, Func<Tensor, Tensor> look)
    {
        using var gradients = enable_grad();
        var rows = weight.size(0);
        var indices = cat([Indices(rows, device: weight.device), Indices(Math.Min(2, rows), device: weight.device)]);
        var gradient = autograd.grad([look(indices).sum()], [weight])[0];
        var counts = (gradient.is_sparse ? gradient.to_dense() : gradient).select(1, 0);
        var untouched = counts.eq(Held(0)).nonzero();
        return (untouched.numel() == 0 ? null : untouched[0].ToInt64(), rows > 1 && counts.max().ToDouble() < 1.5, gradient.is_sparse);
    }

    /// <summary>A row twice adds up or not; of opposite rows the maximum is not zero.</summary>
    private static EmbeddingBagMode Mode(EmbeddingBag bag, Tensor weight, long? padding, bool last)
    {
        using var gradients = no_grad();
        var rows = Enumerable.Range(0, (int)Math.Min(3, weight.size(0))).Select(row => (long)row).Where(row => row != padding).ToArray();
        if (rows.Length == 0)
        {
            return EmbeddingBagMode.Sum;   // of nothing but padding
        }

        var (one, other) = (rows[0], rows[^1]);
        weight[one].fill_(Held(1));
        var twice = Bagged(one, one) / Bagged(one);
        weight[other].fill_(Held(-1));
        return twice > 1.5 ? EmbeddingBagMode.Sum
            : one != other && Bagged(one, other) > 0.25 * Bagged(one) ? EmbeddingBagMode.Max : EmbeddingBagMode.Mean;

        double Bagged(params long[] indices) => bag.forward(
            tensor(indices, device: weight.device), tensor(last ? [0, indices.Length] : new long[] { 0 }, device: weight.device), null)[0, 0].ToDouble();
    }

    private static bool IncludesLastOffset(EmbeddingBag bag, Tensor weight)
    {
        using var gradients = no_grad();
        var two = zeros(2, dtype: ScalarType.Int64, device: weight.device);
        return bag.forward(two, tensor(new long[] { 0, 2 }, device: weight.device), null).size(0) == 1;
    }

    /// <summary>The number that a user wrote, off what came out in <paramref name="dtype"/>; TorchSharp hands it on in single precision.</summary>
    private static double Written(double value, ScalarType dtype)
    {
        var digits = dtype switch { ScalarType.Float16 => 3, ScalarType.BFloat16 => 2, _ => 7 };
        return value > 1e7 ? double.PositiveInfinity : float.Parse(value.ToString($"G{digits}", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
