using System.Diagnostics;
using System.Globalization;
using TorchPooling.Tests.Build;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>The file appears whole or not at all, and large ones without a large heap.</summary>
public class WholeFileTests
{
    [LinuxFact]
    public void A_process_killed_while_it_exports_leaves_no_file_or_a_whole_one()
    {
        using var folder = new TemporaryFolder();
        var (path, interrupted) = (folder.File("m.pt"), 0);
        for (var attempt = 0; attempt < 6; attempt++)
        {
            using var child = Child.Start(["export", path, "1000"]);
            var written = Stopwatch.StartNew();
            while (Drafts(folder).Length == 0)
            {
                Assert.False(child.HasExited, "the child ended by itself");
                Assert.InRange(written.Elapsed.TotalSeconds, 0, 60);
            }

            Thread.Sleep(attempt * 20);
            child.Kill(entireProcessTree: true);
            child.WaitForExit();
            interrupted += Drafts(folder).Length;
            if (File.Exists(path))
            {
                using var scope = NewDisposeScope();
                using var script = torchscript.load<Tensor, Tensor>(path);
                Assert.Equal(4096 * 4097, script.parameters().Sum(p => p.numel()));
                Assert.Equal([1, 4096], script.call(rand(1, 4096)).shape);
                File.Delete(path);
            }

            Array.ForEach(Drafts(folder), File.Delete);
        }

        Assert.InRange(interrupted, 1, 6);   // some were hit while they wrote
    }

    [SmallDiskFact]
    public void A_full_disk_is_an_IOException_and_leaves_what_was_there()
    {
        using var folder = new TemporaryFolder();
        using var child = Child.StartOnSmallDisk(folder.Path, ["export", folder.File("m.pt"), "1"]);
        var (output, error) = (child.StandardOutput.ReadToEnd(), child.StandardError.ReadToEnd());
        child.WaitForExit();
        Assert.True(child.ExitCode == 3, output + error);
        var lines = output.TrimEnd().Split('\n');
        Assert.StartsWith("IOException: No space left on device", lines[0], StringComparison.Ordinal);
        Assert.Equal(["m.pt", "older"], lines[1..]);
    }

    [LinuxFact]
    public void VGG16_is_exported_in_seconds_with_a_managed_heap_below_200_MB()
    {
        using var folder = new TemporaryFolder();
        using var child = Child.Start(["vgg16", folder.File("m.pt")], heapLimit: 200 << 20);
        var output = child.StandardOutput.ReadToEnd();
        var error = child.StandardError.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, error);
        Assert.InRange(double.Parse(output, CultureInfo.InvariantCulture), 0, 60);
        Assert.InRange(new FileInfo(folder.File("m.pt")).Length, 4L * 138_357_544, 4L * 138_357_544 + 100_000);
    }

    private static string[] Drafts(TemporaryFolder folder) => Directory.GetFiles(folder.Path, ".torchscript-*");

    /// <summary>A test that needs a disk of its own, which not every Linux lets users mount.</summary>
    private sealed class SmallDiskFactAttribute : FactAttribute
    {
        public SmallDiskFactAttribute() => Skip = Reason;

        private static string? Reason { get; } = Probe();

        private static string? Probe()
        {
            if (!OperatingSystem.IsLinux())
            {
                return "Linux only";
            }

            using var process = Process.Start(new ProcessStartInfo("bash", ["-c", "unshare --user --map-root-user --mount mount -t tmpfs tmpfs /mnt"]) { RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"this system lets no user mount a disk: {error.Trim()}";
        }
    }
}
