using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Holds what layers made of images, and compares it with what they make of the changed images.</summary>
/// <param name="count">Number of images.</param>
internal sealed class LayerComparison(long count) : IDisposable
{
    private const long BlockNumbers = 1 << 20;

    private readonly List<string> order = [];
    private readonly Dictionary<string, Tensor> originals = [];
    private readonly Dictionary<string, double> moved = [];
    private readonly Dictionary<string, int> calls = [];
    private bool turned;

    /// <summary>From now on, the changed images.</summary>
    public void Turn()
    {
        turned = true;
        calls.Clear();
    }

    public void Add(string layer, Tensor output)
    {
        var call = calls[layer] = calls.GetValueOrDefault(layer) + 1;
        var name = call == 1 ? layer : $"{layer}:{call}";
        CheckOutput(name, output);
        using var scope = NewDisposeScope();
        var rows = output.detach().reshape(count, output.numel() / count);
        if (turned)
        {
            moved.Add(name, Distances(Original(name, rows), rows).Average());
        }
        else
        {
            originals.Add(name, rows.clone().DetachFromDisposeScope());   // a later layer may work in place; hooks run in scopes of the layers
            order.Add(name);
        }
    }

    /// <summary>Mean distance to the changed image over the median distance of two images.</summary>
    /// <param name="layers">The layers that must have been called; null for any.</param>
    public IReadOnlyDictionary<string, double> Sensitivities(IReadOnlyList<string>? layers)
    {
        if (order.Find(name => !moved.ContainsKey(name)) is { } once)
        {
            throw new ArgumentException($"expected the same calls for the changed images, got none of the layer \"{once}\"", nameof(layers));
        }

        if (layers?.FirstOrDefault(name => !originals.ContainsKey(name)) is { } silent)
        {
            throw new ArgumentException($"expected layers that forward calls by call, got none of \"{silent}\"", nameof(layers));
        }

        return order.ToDictionary(name => name, name => Median(PairDistances(originals[name])) is var unit && unit > 0 ? moved[name] / unit : double.NaN);
    }

    public void Dispose()
    {
        foreach (var original in originals.Values)
        {
            original.Dispose();
        }
    }

    private void CheckOutput(string name, Tensor output)
    {
        if (output is null || output.dim() < 1 || output.size(0) != count || output.numel() == 0 || output.is_complex())
        {
            var found = output is null ? "null" : $"{output.dtype} {Check.Shape(output)}";
            throw new ArgumentException($"expected real numbers (N, …) of the {count} images from every layer, got {found} from \"{name}\"", "layers");
        }

        Check.Dense(output, "layers");
    }

    private Tensor Original(string name, Tensor rows)
    {
        if (!originals.TryGetValue(name, out var original))
        {
            throw new ArgumentException($"expected the same calls for the changed images, got one more of the layer \"{name}\"", "layers");
        }

        return original.size(1) == rows.size(1) ? original : throw new ArgumentException(
            $"expected {original.size(1)} numbers for each image as before the change, got {rows.size(1)} from the layer \"{name}\"", "layers");
    }

    private static double[] Distances(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        var products = zeros(3, a.size(0), dtype: ScalarType.Float64, device: a.device);
        foreach (var (start, width) in Blocks(a))
        {
            using var step = NewDisposeScope();
            var (x, y) = (Part(a, start, width), Part(b, start, width));
            products.add_(stack([(x * y).sum(1), x.Squared().sum(1), y.Squared().sum(1)]), Held(1));
        }

        var sums = products.cpu().data<double>().ToArray();
        var n = (int)a.size(0);
        return [.. Enumerable.Range(0, n).Select(i => Distance(sums[i], sums[n + i], sums[2 * n + i]))];
    }

    private static double[] PairDistances(Tensor a)
    {
        using var scope = NewDisposeScope();
        var products = zeros(a.size(0), a.size(0), dtype: ScalarType.Float64, device: a.device);
        foreach (var (start, width) in Blocks(a))
        {
            using var step = NewDisposeScope();
            var x = Part(a, start, width);
            products.add_(x.matmul(x.t()), Held(1));
        }

        var sums = products.cpu().data<double>().ToArray();
        var n = (int)a.size(0);
        return [.. from i in Enumerable.Range(0, n) from j in Enumerable.Range(i + 1, n - i - 1) select Distance(sums[i * n + j], sums[i * n + i], sums[j * n + j])];
    }

    /// <summary>1 − aᵀb/√(aᵀa·bᵀb).</summary>
    private static double Distance(double ab, double aa, double bb)
    {
        if (aa == 0 || bb == 0)
        {
            return aa == bb ? 0 : 1;
        }

        var product = aa * bb;   // its root is exact where a = b
        var lengths = double.IsNormal(product) ? Math.Sqrt(product) : Math.Sqrt(aa) * Math.Sqrt(bb);
        return Math.Clamp(1 - ab / lengths, 0, 2);
    }

    private static double Median(double[] distances)
    {
        if (distances.Any(double.IsNaN))
        {
            return double.NaN;
        }

        Array.Sort(distances);
        return (distances[(distances.Length - 1) / 2] + distances[distances.Length / 2]) / 2;
    }

    private static Tensor Part(Tensor rows, long start, long width) => rows.narrow(1, start, width).to(ScalarType.Float64);

    private static IEnumerable<(long Start, long Width)> Blocks(Tensor rows)
    {
        var width = Math.Max(1, BlockNumbers / rows.size(0));
        for (var start = 0L; start < rows.size(1); start += width)
        {
            yield return (start, Math.Min(width, rows.size(1) - start));
        }
    }
}
