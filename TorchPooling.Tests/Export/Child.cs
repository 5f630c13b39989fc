using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>The process that tests start to export in: killed, on a full disk, with a small heap.</summary>
internal static class Child
{
    /// <summary>export PATH TIMES: a model of 64 MB, again and again; vgg16 PATH: the whole of VGG-16; test TEXT: see <see cref="TestRun"/>.</summary>
    public static int Main(string[] args)
    {
        try
        {
            if (args is ["test", _])
            {
                return TestRun.Of(args[1]);
            }

            if (args[0] == "vgg16")
            {
                using var vgg = Vgg16();
                var clock = Stopwatch.StartNew();
                torchscript.save(vgg, args[1], rand(1, 3, 64, 64));
                Console.WriteLine(clock.Elapsed.TotalSeconds.ToString(CultureInfo.InvariantCulture));
                return 0;
            }

            using var model = nn.Linear(4096, 4096);
            for (var i = 0; i < int.Parse(args[2], CultureInfo.InvariantCulture); i++)
            {
                torchscript.save(model, args[1], rand(1, 4096));
            }

            return 0;
        }
        catch (IOException e)
        {
            Console.WriteLine($"{nameof(IOException)}: {e.Message}");
            return 3;
        }
    }

    /// <summary>Starts this process, perhaps with a limit in bytes on its managed heap.</summary>
    public static Process Start(string[] arguments, long? heapLimit = null) => Bash("exec \"$@\"", arguments, heapLimit);

    /// <summary>Starts this process with a disk of 8 MB mounted at <paramref name="folder"/>, for it alone, that holds a file m.pt;
    /// prints what is on it in the end.</summary>
    public static Process StartOnSmallDisk(string folder, string[] arguments) => Bash(
        $"""
        export folder='{folder}'
        exec unshare --user --map-root-user --mount bash -c '
          mount -t tmpfs -o size=8m tmpfs "$folder" && printf older > "$folder/m.pt" || exit 1
          "$@"; code=$?
          ls -A "$folder"; cat "$folder/m.pt"
          exit $code' bash "$@"
        """, arguments, null);

    private static Process Bash(string script, string[] arguments, long? heapLimit)
    {
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo("bash", ["-c", script, "bash", dotnet, typeof(Child).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (heapLimit is not null)
        {
            start.Environment["DOTNET_GCHeapHardLimit"] = $"0x{heapLimit:x}";
        }

        return Process.Start(start)!;
    }

    /// <summary>VGG-16 with its classifier, 138 million parameters, as torchvision has it.</summary>
    private static nn.Module<Tensor, Tensor> Vgg16() => nn.Sequential(
        ("features", new VggBackbone(VggBackbone.Vgg16)), ("avgpool", nn.AdaptiveAvgPool2d([7, 7])), ("flatten", nn.Flatten()),
        ("classifier", nn.Sequential(
            nn.Linear(25088, 4096), nn.ReLU(inplace: true), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(inplace: true), nn.Dropout(), nn.Linear(4096, 1000))));
}
