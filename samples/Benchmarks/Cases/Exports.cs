using System.Text.Json;
using TorchPooling;
using static TorchSharp.torch;

namespace Benchmarks.Cases;

/// <summary>Modules for peers.py, which times their files beside other ways to write them in PyTorch, on a machine without .NET.</summary>
internal static class Exports
{
    private const long Channels = 512;

    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        var map = rand(2, Channels, 12, 16);
        var boxes = tensor(new float[] { 0, 8, 8, 120, 90, 1, 40, 0, 200, 150 }).view(2, 5);
        var names = new List<string>();
        foreach (var (name, module) in new (string, Module)[]
        {
            ("netvlad", new NetVLAD(64, Channels)),
            ("spp", new SpatialPyramidPool2d()),
            ("power", new PowerPool2d(3, 2, 1)),
            ("soft", new SoftPool2d(2, 2)),
            ("center", new CenterWeightedAvgPool2d(3, 2, 1)),
            ("gem", new GeM2d()),
        })
        {
            torchscript.save(module, Add(name), map);
        }

        torchscript.save(new RoIAlign(7, 1 / 16.0, 2), Add("roi_align"), map, boxes);
        torchscript.save(new RoIPool(7, 1 / 16.0), Add("roi_pool"), map, boxes);
        File.WriteAllText(Path.Combine(folder, "exports.json"), JsonSerializer.Serialize(names));

        string Add(string name)
        {
            names.Add(name);
            return Path.Combine(folder, $"{name}.pt");
        }
    }
}
