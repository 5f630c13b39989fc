using Stability.Measures;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>How much of a map's pooled values stays when the picture changes a little.</summary>
/// <param name="Transform">Its key.</param>
/// <param name="Window">k of k×k.</param>
/// <param name="Kept">Network by network: share that stays within <see cref="Near"/> of itself, of the positive values whose window changes.</param>
/// <param name="Change">‖pooled' − pooled‖ / ‖pooled‖ of all.</param>
internal sealed record Retention(string Transform, string Pooling, int Window, IReadOnlyList<double> Kept, IReadOnlyList<double> Change)
{
    public const string Max = "max";
    public const string Mean = "average";
    public const string Single = "one pixel, no pooling";

    public const double Near = 0.1;

    private const double Still = 1e-4;   // of the map's largest value: what rounding may change

    public static IReadOnlyList<string> Transforms { get; } = [Measures.Transform.Translation, Measures.Transform.Larger, Measures.Transform.Smaller, Measures.Transform.Rotation];

    public static IReadOnlyList<int> Windows { get; } = [2, 3, 4, 6];

    /// <summary>Each picks one number for a window.</summary>
    public static IReadOnlyList<(string Name, Func<int, nn.Module<Tensor, Tensor>> Layer)> Poolings { get; } =
    [
        (Max, window => nn.MaxPool2d(window)),
        (Mean, window => nn.AvgPool2d(window)),
        (Single, window => nn.MaxPool2d(1, window)),
    ];

    /// <param name="maps">Of every network, from pictures to non-negative maps (N, C, S, S).</param>
    public static List<Retention> Measure(IReadOnlyList<Func<Tensor, Tensor>> maps, Tensor images, IReadOnlyList<Transform> transforms)
    {
        using var none = no_grad();
        var kinds = Poolings.SelectMany(_ => Windows, (pooling, window) => (pooling.Name, pooling.Layer, Window: window)).ToList();
        var found = new List<Retention>();
        foreach (var transform in transforms.Where(transform => Transforms.Contains(transform.Key)))
        {
            var networks = maps.Select(map => Compared(map, transform)).ToList();
            found.AddRange(kinds.Select((kind, i) => new Retention(
                transform.Key, kind.Name, kind.Window, [.. networks.Select(values => values[i].Kept)], [.. networks.Select(values => values[i].Change)])));
        }

        return found;

        List<(double Kept, double Change)> Compared(Func<Tensor, Tensor> map, Transform transform)
        {
            using var scope = NewDisposeScope();
            var (before, after) = (map(images), map(transform.Images));
            return [.. kinds.Select(kind => Compare(kind.Layer(kind.Window), kind.Window, before, after))];
        }
    }

    /// <summary>Over the whole windows of two maps.</summary>
    /// <param name="pool">A number for each window, without overlap.</param>
    public static (double Kept, double Change) Compare(nn.Module<Tensor, Tensor> pool, int window, Tensor before, Tensor after)
    {
        using var scope = NewDisposeScope();
        (before, after) = (Whole(before), Whole(after));
        var touched = nn.functional.max_pool2d((after - before).abs(), [window, window]) > before.max() * Still;
        var (a, b) = (pool.call(before), pool.call(after));
        var gap = (b - a).abs();
        var near = (gap <= a * Near).masked_select((a > 0).logical_and(touched)).to(ScalarType.Float64).mean().item<double>();
        return (near, (gap.to(ScalarType.Float64).norm() / a.to(ScalarType.Float64).norm()).item<double>());

        Tensor Whole(Tensor map) => map.narrow(2, 0, map.size(2) / window * window).narrow(3, 0, map.size(3) / window * window);
    }
}
