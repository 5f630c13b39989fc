using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>What a call takes at most beyond its inputs.</summary>
/// <param name="Extra">Bytes: intermediate results, output, and with a gradient what is kept for it and the gradients themselves.</param>
/// <param name="Input">Bytes of the map.</param>
internal sealed record MemoryUse(Case Case, long Extra, long Input)
{
    /// <summary>In sizes of the map.</summary>
    public double Ratio => (double)Extra / Input;
}

/// <summary>Measures it by the peak of a process's resident memory, a process for each case.</summary>
internal static class Memory
{
    /// <summary>The option by which this program measures one case for itself.</summary>
    public const string Option = "--memory-of";

    /// <param name="item">The case, which the child finds by its name.</param>
    /// <param name="arguments">Further arguments of the child.</param>
    public static MemoryUse Of(Case item, params string[] arguments)
    {
        Console.Error.WriteLine($"memory of {item.Name} …");
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Option, item.Name, .. arguments]) { RedirectStandardOutput = true };
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = "1048576";   // of glibc, which otherwise keeps what is free for later
        using var child = Process.Start(start)!;
        var line = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0
            ? new(item, long.Parse(line, CultureInfo.InvariantCulture), item.Setting.Bytes)
            : throw new InvalidOperationException($"the measuring process ended with {child.ExitCode}; its error is above");
    }

    /// <summary>Runs ours twice, and prints by how much the second run exceeded what there was before it.</summary>
    public static void Measure(Case item)
    {
        using var scope = NewDisposeScope();
        var scene = item.Make(item.Setting);
        Harness.Time(item, scene, scene.Contestants[0]);
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText("/proc/self/clear_refs", "5");   // the peak starts anew; elsewhere it is that of both runs
        }

        process.Refresh();
        var before = process.WorkingSet64;
        Harness.Time(item, scene, scene.Contestants[0]);
        process.Refresh();
        Console.WriteLine(Math.Max(0, process.PeakWorkingSet64 - before));
    }
}
