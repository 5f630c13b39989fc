using System.Globalization;
using TorchPooling.Tests.Build;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

/// <summary>Measures the process, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(NetVLADMemoryTests), DisableParallelization = true)]
[Collection(nameof(NetVLADMemoryTests))]
public class NetVLADMemoryTests
{
    [LinuxFact]
    public void Memory_does_not_grow_with_K_times_D()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(64, 512);
        var x = rand(2, 512, 30, 40);
        layer.call(x.narrow(3, 0, 2)).Dispose();   // libtorch's own start-up

        File.WriteAllText("/proc/self/clear_refs", "5");   // the peak starts anew
        var before = Kilobytes("VmRSS");
        layer.call(x).sum().backward();
        var growth = Kilobytes("VmHWM") - before;

        // The residual tensor would hold 2·64·512·1200 floats, 307,200 KiB; the map itself holds 4,800.
        Assert.True(growth < 40_000, $"grew by {growth} KiB");
    }

    private static long Kilobytes(string name) => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
