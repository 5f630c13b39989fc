using TorchPooling;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Benchmarks.Cases;

/// <summary>Spatial pyramids, beside a pool per level on the map as it lies.</summary>
internal static class PyramidCases
{
    private static readonly ScalarType Half = ScalarType.BFloat16;

    public static IEnumerable<Case> All(bool quick)
    {
        Setting[] settings = quick
            ? [new(1, 8, 12, 16), new(2, 8, 13, 13) { Backward = true }]
            :
            [
                .. new Setting(8, 512, 12, 16).Both(), .. new Setting(16, 256, 24, 24).Both(), .. new Setting(8, 256, 40, 60).Both(),
                .. new Setting(8, 512, 30, 40).Both(), .. new Setting(32, 256, 13, 13).Both(), .. new Setting(32, 512, 14, 14).Both(),
                .. new Setting(1, 512, 31, 37).Both(),
                .. (new Setting(16, 256, 24, 24) { ChannelsLast = true }).Both(), .. (new Setting(8, 512, 30, 40) { ChannelsLast = true }).Both(),
                .. (new Setting(1, 512, 31, 37) { ChannelsLast = true }).Both(),
                .. (new Setting(16, 256, 24, 24) { Dtype = Half }).Both(), .. (new Setting(32, 256, 13, 13) { Dtype = Half }).Both(),
            ];
        Setting[] some = quick ? settings : [.. settings[2..4], .. settings[8..10], .. settings[14..16]];
        return
        [
            .. settings.Select(setting => Max("SpatialPyramidPool2d 1/2/4", setting, 1, 2, 4)),
            .. some.Select(setting => Max("SpatialPyramidPool2d 1/2/3/6", setting, 1, 2, 3, 6)),
            .. some.Select(setting => Max("SpatialPyramidPool2d 3/4", setting, 3, 4)),
            .. some.Select(Paper),
            .. some.Select(Avg),
            .. some.Select(Fast),
        ];
    }

    private static Case Max(string name, Setting setting, params long[] levels) => Of(
        name, setting, new SpatialPyramidPool2d(levels), x => cat([.. levels.Select(n => F.adaptive_max_pool2d(x, [n, n]).flatten(1))], 1));

    private static Case Avg(Setting setting) => Of(
        "SpatialPyramidPool2d avg 1/2/4", setting, new SpatialPyramidPool2d([1, 2, 4], BinReduction.Avg),
        x => cat([.. new long[] { 1, 2, 4 }.Select(n => F.adaptive_avg_pool2d(x, [n, n]).flatten(1))], 1));

    private static Case Paper(Setting setting) => Of(
        "SpatialPyramidPool2d 1/2/3, rule of SPPNet", setting, new SpatialPyramidPool2d([1, 2, 3], bins: BinRule.SppNet),
        x => cat([.. new long[] { 1, 2, 3 }.Select(n => F.max_pool2d(x, Each(x, a => (a + n - 1) / n), Each(x, a => a / n)).flatten(1))], 1));

    private static Case Fast(Setting setting) => Of(
        "FastSpatialPyramidPool2d", setting, new FastSpatialPyramidPool2d(), x =>
        {
            var maps = new List<Tensor> { x };
            for (var stage = 0; stage < 3; stage++)
            {
                maps.Add(F.max_pool2d(maps[^1], [5, 5], [1, 1], [2, 2]));
            }

            return cat(maps, 1);
        });

    private static long[] Each(Tensor x, Func<long, long> side) => [side(x.size(2)), side(x.size(3))];

    private static Case Of(string name, Setting setting, nn.Module<Tensor, Tensor> ours, Func<Tensor, Tensor> plain) => new(name, setting, at =>
    {
        var x = at.Map();
        return new(
            [x],
            new(Contestant.Ours, t => ours.call(t[0])),
            Exported.Of(ours, x),
            new("a pool per level", t => plain(t[0])) { IsSame = at.Dtype != Half || !at.Backward },   // libtorch 2.10 rounds places to bfloat16
            new("one read", t => t[0].sum()) { IsSame = false, IsFloor = true });
    });
}
