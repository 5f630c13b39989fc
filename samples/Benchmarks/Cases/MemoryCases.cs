using TorchPooling;
using TorchSharp;

namespace Benchmarks.Cases;

/// <summary>Where the peak of memory is measured: on maps of some 20 to 80 MB, beside which a process's own is small.</summary>
internal static class MemoryCases
{
    public static IEnumerable<Case> All(bool quick)
    {
        Setting map = quick ? new(2, 8, 12, 16) : new(16, 512, 30, 40);
        long[] clusters = quick ? [4] : [16, 64, 256, 512];
        Setting even = quick ? map : new(16, 256, 40, 60);
        return
        [
            .. from k in clusters
               from setting in map.Both()
               select Ours($"NetVLAD, K = {k}", setting, at => new NetVLAD(k, at.C)),
            .. map.Both().Select(setting => Ours("SpatialPyramidPool2d", setting, _ => new SpatialPyramidPool2d())),
            .. from kernel in new[] { 2, 3 }
               from setting in even.Both()
               from item in Windows(kernel, setting)
               select item,
        ];
    }

    private static IEnumerable<Case> Windows(int kernel, Setting setting)
    {
        var padding = kernel / 3;
        return
        [
            Ours($"PowerPool2d, {kernel}×{kernel}", setting, _ => new PowerPool2d(kernel, 2, padding)),
            Ours($"SoftPool2d, {kernel}×{kernel}", setting, _ => new SoftPool2d(kernel, 2, padding)),
            Ours($"StochasticPool2d, {kernel}×{kernel}", setting, _ => new StochasticPool2d(kernel, 2, padding)),
            Ours($"CenterWeightedAvgPool2d, {kernel}×{kernel}", setting, _ => new CenterWeightedAvgPool2d(kernel, 2, padding)),
        ];
    }

    /// <summary>A module alone, without others to compare with.</summary>
    public static Case Ours(string name, Setting setting, Func<Setting, Module> make) => new(name, setting, at =>
    {
        var module = make(at).to(at.Dtype).to(at.Device);
        return new([at.Map()], new Contestant(Contestant.Ours, t => module.call(t[0])));
    });
}
