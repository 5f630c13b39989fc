using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using PlaceRecognition.Model;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export;

/// <summary>PyTorch's ONNX exporter takes the exported file, and ONNX Runtime computes what C# does.</summary>
public class OnnxTests
{
    /// <summary>All but R-MAC, whose number of regions is found by a loop that the exporter does not take.</summary>
    [PyTorchFact]
    public void The_place_recognition_network_goes_on_to_ONNX()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var networks = PlaceRecognition.Model.Pooling.All.Where(pooling => pooling.Name != "rmac").ToDictionary(pooling => pooling.Name, pooling => new PlaceNetwork(pooling, clusters: 5, new(64, 96)));
        foreach (var (name, network) in networks)
        {
            Seeded.Start(network, 1);   // a descriptor midway between two hard centres would go to another one there
            network.train();
            network.call(Seeded.Normal(2, [4, 3, 64, 96]));   // statistics that are not those of a new network
            network.eval();
            torchscript.save(network, folder.File($"{name}.pt"), rand(2, 3, 64, 96));
        }

        Python.Run(
            """
            import sys, torch
            folder, names = sys.argv[1], sys.argv[2].split(",")
            for name in names:
                model = torch.jit.load(f"{folder}/{name}.pt").eval()
                # ONNX has no bins of unequal size: a pyramid goes out for one size that 4 divides
                axes = {0: "n"} if name == "spp" else {0: "n", 2: "h", 3: "w"}
                torch.onnx.export(
                    model, (torch.rand(2, 3, 64, 96),), f"{folder}/{name}.onnx", opset_version=16,
                    input_names=["x"], output_names=["y"], dynamic_axes={"x": axes, "y": {0: "n"}})
            """, folder.Path, string.Join(',', networks.Keys));
        foreach (var (name, network) in networks)
        {
            using var session = new InferenceSession(folder.File($"{name}.onnx"));
            foreach (var shape in name == "spp" ? new[] { (1, 64, 96), (3, 64, 96) } : [(1, 64, 96), (3, 70, 41)])
            {
                var x = Seeded.Normal(3, [shape.Item1, 3, shape.Item2, shape.Item3]);
                var input = new DenseTensor<float>(x.data<float>().ToArray(), [shape.Item1, 3, shape.Item2, shape.Item3]);
                using var results = session.Run([NamedOnnxValue.CreateFromTensor("x", input)]);
                var output = results[0].AsTensor<float>();
                var y = tensor(output.ToArray()).reshape([.. output.Dimensions.ToArray().Select(size => (long)size)]);
                Tolerance.AssertClose(network.call(x), y, 1e-5, $"{name} {shape}");
            }
        }
    }
}
