using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

public class ReadmeTests
{
    [Fact]
    public void The_example_of_the_README_is_the_one_below() =>
        Assert.Contains($"```csharp\n{Example()}```", File.ReadAllText(Path.Combine(Root(), "README.md")).ReplaceLineEndings("\n"), StringComparison.Ordinal);

    [Fact]
    public void The_example_trains_and_exports()
    {
        using var scope = NewDisposeScope();
        File.Delete("netvlad.pt");
        File.Delete("spp.pt");

        // <example>
        var (images, labels) = (rand(4, 3, 64, 96), tensor(new long[] { 0, 1, 2, 3 }));
        (string, nn.Module<Tensor, Tensor>, long)[] poolings =
        [
            ("netvlad", new NetVLAD(num_clusters: 8, dim: 64), 8 * 64),
            ("spp", new SpatialPyramidPool2d([1, 2, 4]), (1 + 4 + 16) * 64),
        ];
        foreach (var (name, pool, length) in poolings)
        {
            var backbone = new VggBackbone([[16], [32], [64]], cut: VggCut.BeforeLastReLU);
            var model = nn.Sequential(backbone, pool, nn.Linear(length, 10));
            var optimizer = optim.Adam(model.parameters());
            nn.functional.cross_entropy(model.call(images), labels).backward();
            optimizer.step();
            torchscript.save(model, $"{name}.pt", images);   // in Python: torch.jit.load("netvlad.pt").eval()(images)
        }
        // </example>

        using var netvlad = jit.load<Tensor, Tensor>("netvlad.pt");
        using var spp = jit.load<Tensor, Tensor>("spp.pt");
        Assert.Equal([2, 10], netvlad.call(rand(2, 3, 40, 50)).shape);
        Assert.Equal([2, 10], spp.call(rand(2, 3, 50, 40)).shape);
    }

    private static string Example()
    {
        var lines = File.ReadAllLines(Path.Combine(Root(), "TorchPooling.Tests/ReadmeTests.cs"));
        var start = Array.FindIndex(lines, line => line.Trim() == "// <example>") + 1;
        var end = Array.FindIndex(lines, line => line.Trim() == "// </example>");
        return string.Concat(lines[start..end].Select(line => (line.Length > 8 ? line[8..] : "") + "\n"));
    }

    private static string Root([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "..");
}
