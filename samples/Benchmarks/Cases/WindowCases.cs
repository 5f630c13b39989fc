using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace Benchmarks.Cases;

/// <summary>Pools over windows, beside a statistic of the unfolded windows, and beside pools of libtorch that do less.</summary>
internal static class WindowCases
{
    public static IEnumerable<Case> All(bool quick) =>
        from pool in Pools
        from window in new Window[] { new(2, 2, 0), new(3, 2, 1), new(5, 1, 2) }
        from setting in Settings(pool, window, quick)
        select new Case($"{pool.Name} {window.K}×{window.K} / {window.S}", setting, at => Make(pool, window, at));

    /// <summary>One operator.</summary>
    /// <param name="Name">Its class.</param>
    /// <param name="Module">Makes it.</param>
    /// <param name="Unfolded">What anyone would write: a statistic of the pixels (N, C, K, H'·W') of each window, 0 in the padding, and of
    /// the weights of a window's pixels, (K, 1).</param>
    private sealed record Pool(string Name, Func<Window, nn.Module<Tensor, Tensor>> Module, Func<Tensor, Tensor, Tensor>? Unfolded)
    {
        public bool Draws { get; init; }

        /// <summary>Whether the goals speak of it.</summary>
        public bool Named { get; init; }

        /// <summary>What stands in the padding.</summary>
        public double Fill { get; init; }
    }

    private static Pool[] Pools =>
    [
        new("PowerPool2d", window => new PowerPool2d(window.K, window.S, window.P), (pixels, _) => pixels.square().sum(2).sqrt()) { Named = true },
        new("PowerPool2d, p 3.5", window => new PowerPool2d(window.K, window.S, window.P, p: 3.5), (pixels, _) => pixels.abs().pow(3.5).sum(2).pow(1 / 3.5)),
        new("SoftPool2d", window => new SoftPool2d(window.K, window.S, window.P), (pixels, _) => (pixels.softmax(2) * pixels).sum(2)) { Named = true, Fill = -1e30 },
        new("StochasticPool2d", window => new StochasticPool2d(window.K, window.S, window.P), (pixels, _) => Drawn(pixels.relu())) { Named = true, Draws = true },
        new("StochasticPool2d in eval mode", window => Eval(new StochasticPool2d(window.K, window.S, window.P)), (pixels, _) => Expected(pixels.relu())) { Named = true },
        new("CenterWeightedAvgPool2d", window => new CenterWeightedAvgPool2d(window.K, window.S, window.P), (pixels, weight) => (pixels * weight).sum(2)) { Named = true },
        new("GatedPool2d", window => new GatedPool2d(window.K, window.S, window.P), null),
        new("LogSumExpPool2d", window => new LogSumExpPool2d(window.K, window.S, window.P), null),
        new("MedianPool2d", window => new MedianPool2d(window.K, window.S, window.P), null),
    ];

    /// <summary>All for the pools that the goals speak of, over the usual windows; one of the largest windows, and of other pools.</summary>
    private static IEnumerable<Setting> Settings(Pool pool, Window window, bool quick)
    {
        var map = new Setting(8, 512, 30, 40);
        Setting[] settings = (pool.Named, window.K) switch
        {
            (true, 2) => [map, map with { ChannelsLast = true }, map with { C = 256, H = 31, W = 37 }],
            (true, 3) => [map, map with { ChannelsLast = true }, map with { C = 256, H = 31, W = 37 }, map with { Dtype = ScalarType.BFloat16 }],
            (true, _) or (false, 3) => [map with { N = 1 }],
            _ => [],
        };
        return settings.Select(setting => quick ? setting with { N = 1, C = 4, H = 7, W = 9 } : setting).Distinct().SelectMany(setting => setting.Both());
    }

    private static Scene Make(Pool pool, Window window, Setting at)
    {
        var module = pool.Module(window);
        module.to(at.Device);
        var x = at.Map();
        var weight = window.Weight.to(at.Device);
        var valid = pool.Name == "CenterWeightedAvgPool2d" ? window.Unfold(ones(1, 1, at.H, at.W, device: at.Device), 0) : null;
        var share = valid is null ? null : pool.Unfolded!(valid, weight).to(at.Dtype);
        var contestants = new List<Contestant>
        {
            new(Contestant.Ours, t => module.call(t[0])),
            Exported.Of(module, x.narrow(0, 0, 1)) with { IsSame = !pool.Draws },
        };
        if (pool.Unfolded is { } unfolded)
        {
            contestants.Add(new("unfold", t =>
            {
                var y = unfolded(window.Unfold(t[0], pool.Fill), weight);
                return share is null ? y : y / share;
            })
            { IsSame = !pool.Draws });
        }

        contestants.Add(new("max_pool2d", t => nn.functional.max_pool2d(t[0], window.K, window.S, window.P)) { IsSame = false });
        contestants.Add(new("avg_pool2d", t => nn.functional.avg_pool2d(t[0], window.K, window.S, window.P)) { IsSame = false });
        contestants.Add(new("one read", t => t[0].sum()) { IsSame = false, IsFloor = true });
        return new([x], [.. contestants]);
    }

    private static StochasticPool2d Eval(StochasticPool2d pool)
    {
        pool.eval();
        return pool;
    }

    /// <summary>A pixel of each window by its strength, (N, C, H'·W').</summary>
    private static Tensor Drawn(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var reached = pixels.detach().cumsum(2);
        var whole = reached.narrow(2, -1, 1);
        var index = (reached <= rand_like(whole) * whole).sum(2, keepdim: true).clamp_max(pixels.size(2) - 1);
        return pixels.gather(2, index).squeeze(2).MoveToOuterDisposeScope();
    }

    private static Tensor Expected(Tensor pixels) => pixels.square().sum(2) / pixels.sum(2).clamp_min(1e-30);

    /// <summary>K×K pixels at steps of S, P rows and columns around the map.</summary>
    private sealed record Window(long K, long S, long P)
    {
        /// <summary>The Gaussian of width 1 around the centre, (K·K, 1).</summary>
        public Tensor Weight
        {
            get
            {
                using var scope = NewDisposeScope();
                var d = (arange(K, dtype: ScalarType.Float32) - ((K - 1) / 2.0)).square();
                return (d.unsqueeze(1) + d).mul(-0.5).exp().reshape(-1, 1).MoveToOuterDisposeScope();
            }
        }

        /// <summary>(N, C, K·K, H'·W').</summary>
        public Tensor Unfold(Tensor x, double fill)
        {
            var padded = P > 0 && fill != 0 ? nn.functional.pad(x, [P, P, P, P], PaddingModes.Constant, fill) : x;
            return nn.functional.unfold(padded, K, padding: fill == 0 ? P : 0, stride: S).unflatten(1, x.size(1), K * K);
        }
    }
}
