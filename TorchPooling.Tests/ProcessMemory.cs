using System.Globalization;

namespace TorchPooling.Tests;

/// <summary>What Linux says of the memory of this process.</summary>
internal static class ProcessMemory
{
    /// <summary>Runs <paramref name="work"/>; the KiB that the process had before, and had at most meanwhile.</summary>
    public static (long Before, long Peak) Of(Action work)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);   // or the heap would shrink meanwhile
        File.WriteAllText("/proc/self/clear_refs", "5");   // the peak starts anew
        var before = Kilobytes("VmRSS");
        work();
        return (before, Kilobytes("VmHWM"));
    }

    private static long Kilobytes(string name) => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
