using TorchPooling;
using static TorchSharp.torch;

namespace Benchmarks.Cases;

/// <summary>NetVLAD beside its two matrix products, and beside what public ports do.</summary>
internal static class VladCases
{
    public static IEnumerable<Case> All(bool quick)
    {
        var places = new Setting(8, 512, 30, 40);
        var single = new Setting(1, 512, 31, 37);
        var small = new Setting(32, 512, 14, 14);
        IEnumerable<Setting> settings = quick
            ? [.. new Setting(2, 8, 5, 4).Both(), new(2, 8, 5, 4) { ChannelsLast = true, Dtype = ScalarType.BFloat16 }]
            : [
                .. places.Both(), .. (places with { ChannelsLast = true }).Both(), .. small.Both(), .. (small with { ChannelsLast = true }).Both(),
                .. single.Both(), .. (single with { ChannelsLast = true }).Both(), .. new Setting(8, 256, 13, 13).Both(), .. (places with { Dtype = ScalarType.BFloat16 }).Both(),
                .. new Setting(32, 512, 30, 40).Both(),
            ];
        var clusters = quick ? 4 : 64;
        return
        [
            .. settings.Select(setting => Of("NetVLAD", setting, clusters)),
            .. (quick ? small with { N = 2, C = 8 } : places).Both().Select(setting => Of("NetVLAD, with bias, of raw descriptors", setting, clusters, unit: false, bias: true)),
        ];
    }

    private static Case Of(string name, Setting setting, long clusters, bool unit = true, bool bias = false) => new(name, setting, at =>
    {
        random.manual_seed(1);
        var layer = new NetVLAD(clusters, at.C, unit, bias, at.Device, at.Dtype);
        var x = at.Map();
        var parameters = layer.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        var (w, c, b) = (parameters["conv.weight"], parameters["centroids"], parameters.GetValueOrDefault("conv.bias"));
        var contestants = new List<Contestant>
        {
            new(Contestant.Ours, t => layer.call(t[0])),
            Exported.Of(layer, x),
            new("two products", t => Products(t[0], w)) { IsSame = false, IsFloor = true },
            new("two products, cheapest", t => CheapestProducts(t[0], w)) { IsSame = false },
        };
        if (at.Dtype == ScalarType.Float32 && at.N * at.H * at.W < 20_000)
        {
            contestants.Add(new("loop", t => Loop(t[0], w, c, b, unit)));
        }

        if (at.Dtype == ScalarType.Float32 && 4.0 * clusters * at.N * at.C * at.H * at.W < (at.Backward ? 3e8 : 2e9))
        {
            contestants.Add(new("residual tensor", t => Residuals(t[0], w, c, b, unit)));
        }

        return new([x], [.. contestants]);
    });

    /// <summary>The floor: logits, taken as the assignment, and its sums, as one writes them.</summary>
    private static Tensor Products(Tensor x, Tensor w)
    {
        var points = x.flatten(2);
        return w.flatten(1).matmul(points).bmm(points.transpose(1, 2));
    }

    /// <summary>The same, so that no map is copied: matmul folds the batch into rows where the weight is trained, and the gradient of
    /// a transposed map is transposed, too.</summary>
    private static Tensor CheapestProducts(Tensor x, Tensor w)
    {
        var points = x.flatten(2);
        var logits = w.flatten(1).expand(x.size(0), w.size(0), w.size(1)).bmm(points);
        return points.stride(1) == 1 ? logits.bmm(points.transpose(1, 2)) : points.bmm(logits.transpose(1, 2));
    }

    /// <summary>Cluster by cluster, as public ports do.</summary>
    private static Tensor Loop(Tensor x, Tensor w, Tensor c, Tensor? b, bool unit)
    {
        var (points, share) = Assign(x, w, b, unit);
        var sums = Enumerable.Range(0, (int)c.size(0)).Select(k =>
        {
            using var scope = NewDisposeScope();
            return ((points - c[k].unsqueeze(1)) * share.narrow(1, k, 1)).sum(2).MoveToOuterDisposeScope();
        });
        return Normalize(stack([.. sums], 1));
    }

    /// <summary>All residuals in one tensor (N, K, D, H·W).</summary>
    private static Tensor Residuals(Tensor x, Tensor w, Tensor c, Tensor? b, bool unit)
    {
        var (points, share) = Assign(x, w, b, unit);
        return Normalize(((points.unsqueeze(1) - c.unsqueeze(2)) * share.unsqueeze(2)).sum(3));
    }

    private static (Tensor Points, Tensor Share) Assign(Tensor x, Tensor w, Tensor? b, bool unit)
    {
        var map = unit ? nn.functional.normalize(x, dim: 1) : x;
        return (map.flatten(2), nn.functional.conv2d(map, w, b).flatten(2).softmax(1));
    }

    private static Tensor Normalize(Tensor sums) =>
        nn.functional.normalize(nn.functional.normalize(sums, dim: 2).flatten(1), dim: 1);
}
