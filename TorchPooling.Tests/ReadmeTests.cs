using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using TorchPooling.Tests.Export.Parity;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

public partial class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(Root(), "README.md")).ReplaceLineEndings("\n");

    [Theory]
    [InlineData("example")]
    [InlineData("export")]
    [InlineData("return")]
    [InlineData("residual")]
    [InlineData("register")]
    [InlineData("start")]
    [InlineData("look")]
    [InlineData("learn")]
    [InlineData("retrieve")]
    [InlineData("sensitivity")]
    [InlineData("sppnet")]
    public void The_code_of_the_README_is_the_code_below(string name) =>
        Assert.Contains($"```csharp\n{Code(name)}```", Readme, StringComparison.Ordinal);

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
            var features = new VggBackbone([[16], [32], [64]], cut: VggCut.BeforeLastReLU);
            var classifier = nn.Sequential(features, pool, nn.Linear(length, 10));
            var adam = optim.Adam(classifier.parameters());
            nn.functional.cross_entropy(classifier.call(images), labels).backward();
            adam.step();
            torchscript.save(classifier, $"{name}.pt", images);   // in Python: torch.jit.load("netvlad.pt").eval()(images)
        }
        // </example>

        using var netvlad = torchscript.load<Tensor, Tensor>("netvlad.pt");
        using var spp = torchscript.load<Tensor, Tensor>("spp.pt");
        Assert.Equal([2, 10], netvlad.call(rand(2, 3, 40, 50)).shape);
        Assert.Equal([2, 10], spp.call(rand(2, 3, 50, 40)).shape);
    }

    [PyTorchFact]
    public void Export_fine_tuning_in_Python_and_return_take_fewer_than_30_lines_and_run()
    {
        using var scope = NewDisposeScope();
        File.Delete("model.pt");
        File.Delete("finetuned.pt");

        // <export>
        var model = nn.Sequential(new VggBackbone([[16], [32]]), new Residual(nn.Conv2d(32, 32, 3, padding: 1)), new SpatialPyramidPool2d([1, 2]), nn.Linear(5 * 32, 10));
        torchscript.save(model, "model.pt", rand(4, 3, 64, 96));
        // </export>

        var before = model.parameters().Select(p => p.clone()).ToList();
        var python = Python().Matches(Readme).Select(match => match.Groups[1].Value).Single(code => code.Contains("jit.load", StringComparison.Ordinal));
        Tests.Python.Run(python);

        // <return>
        torchscript.load_weights(model, "finetuned.pt");                           // into the C# model, by name
        using var script = torchscript.load<Tensor, Tensor>("finetuned.pt");       // or as it is
        var logits = script.call(rand(1, 3, 64, 96));
        // </return>

        Assert.Equal([1, 10], logits.shape);
        Assert.All(model.parameters().Zip(before), pair => Assert.False(pair.First.Equals(pair.Second)));
        var x = rand(2, 3, 50, 60);
        Tolerance.AssertClose(model.call(x), script.call(x), 1e-6);
        Assert.InRange((Code("export") + python + Code("return")).Split('\n').Count(line => line.Length > 0), 1, 29);
    }

    [Fact]
    public void Clusters_start_from_descriptors_and_a_network_learns_from_mined_tuples()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var coarse = rand([20, 3, 8, 12], generator: generator);
        var database = nn.functional.interpolate(coarse, [32, 48], mode: InterpolationMode.Bilinear);
        var queries = database + randn(database.shape, generator: generator) * 0.01;   // the same places once more
        (double East, double North)[] databasePositions = [.. Enumerable.Range(0, 20).Select(i => (i * 30.0, 0.0))];
        (double East, double North)[] queryPositions = [.. databasePositions.Select(place => (place.East, 2.0))];

        // <start>
        var backbone = new VggBackbone([[16], [32], [64]], cut: VggCut.BeforeLastReLU);
        var netvlad = new NetVLAD(num_clusters: 8, dim: 64);
        using (no_grad())
        {
            var descriptors = backbone.call(database).permute(0, 2, 3, 1).reshape(-1, 64);   // (M, D), of many images
            var start = netvlad.Initialize(descriptors);
            Console.WriteLine($"α = {start.Alpha:0.0}, {start.UsedClusters:0 %} of the clusters are used");
        }
        // </start>

        // <learn>
        var network = nn.Sequential(backbone, netvlad);
        var optimizer = optim.SGD(network.parameters(), 1e-4, momentum: 0.9);
        using var miner = new HardNegativeMiner(
            positives: Neighbors.Within(queryPositions, databasePositions, radius: 10),
            excluded: Neighbors.Within(queryPositions, databasePositions, radius: 25), databasePositions.Length);
        using (no_grad())
        {
            miner.Refresh(network.call(queries), network.call(database));   // every 500 to 1000 queries
        }

        foreach (var tuple in miner.Mine(miner.Trainable, new Random(1)))
        {
            using var step = NewDisposeScope();
            long[] shown = [tuple.Positive, .. tuple.Negatives];
            var positives = arange(shown.Length).unsqueeze(0) == 0;
            var loss = losses.triplet_ranking(
                network.call(queries[tuple.Query].unsqueeze(0)), network.call(database[tensor(shown)]), positives, positives.logical_not());
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }
        // </learn>

        // <retrieve>
        network.eval();
        using var frozen = no_grad();
        NpyFile.Write("descriptors.npy", network.call(database));          // or batches, of as many images as you have
        var whitening = new PcaWhitening(8 * 64, 16);
        whitening.Fit(NpyFile.ReadBlocks("descriptors.npy", rows: 10_000));
        var model = nn.Sequential(network, whitening);
        torchscript.save(model, "place.pt", queries[0..2]);
        NpyFile.Write("database.npy", model.call(database));               // for FAISS: numpy.load("database.npy")

        var (_, indices) = NearestNeighbors.FindInBlocks(model.call(queries), NpyFile.ReadBlocks("database.npy", rows: 100_000), count: 5);
        var recall = RetrievalMetrics.Recall(RetrievalMetrics.Right(indices, queryPositions, databasePositions, radius: 25));
        Console.WriteLine($"recall@1 {recall[0]:0.000}, recall@5 {recall[4]:0.000}");
        // </retrieve>

        Assert.True(recall[0] > 0.6, $"{recall[0]}");   // by chance 0.05

        // <look>
        var patches = new PatchNetVLAD(num_clusters: 8, dim: 64, patch_sizes: [2, 4]);
        patches.load_state_dict(netvlad.state_dict());                     // the same clusters, window by window
        var (map, answers) = (backbone.call(queries[0..1]), indices[0]);   // the first query and its five answers
        var candidates = patches.call(backbone.call(database.index_select(0, answers)));
        var scores = patches.spatial_scores(patches.call(map)[0], candidates, map.size(2), map.size(3));
        Console.WriteLine($"after a second look: picture {answers[scores.argmax()].ToInt64()}");
        // </look>

        Assert.Equal(0, answers[scores.argmax()].ToInt64());
    }

    [Fact]
    public void The_sensitivity_of_every_layer_is_told()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var network = nn.Sequential(new VggBackbone([[8], [16]], in_channels: 1), nn.Flatten(), nn.Linear(16 * 36, 10));
        var images = rand([16, 1, 24, 24], generator: generator);

        // <sensitivity>
        network.eval();
        var fields = warps.deformation_field(images.size(0), height: 24, width: 24, band: 3, displacement: 1);   // a pixel
        var sensitivity = stability.sensitivity(network, images, x => warps.deform(x, fields));
        Console.WriteLine(string.Join(", ", sensitivity.Select(layer => $"{layer.Key} {layer.Value:0.000}")));   // 0: still, 1: as far as to another image
        var roughness = stability.total_variation(network.parameters().First());   // of the first filters
        // </sensitivity>

        Assert.Equal([stability.Input, "0.features.0", stability.Output], sensitivity.Keys.Where((_, i) => i is 0 or 1 || i == sensitivity.Count - 1));
        Assert.All(sensitivity.Values, s => Assert.InRange(s, 1e-6, 5));
        Assert.InRange(roughness, 0.5, 3);
    }

    [Fact]
    public void Images_of_any_size_and_their_boxes_are_scored()
    {
        using var scope = NewDisposeScope();
        File.Delete("sppnet.pt");

        // <sppnet>
        var network = new SppNet(new VggBackbone([[16], [32], [64]], cut: VggCut.AfterLastReLU), nn.Linear((1 + 4 + 16) * 64, 10), stride: 4);
        var (small, wide) = (rand(2, 3, 48, 48), rand(1, 3, 120, 200));
        var (of_small, of_wide) = (network.call(small), network.call(wide));                     // (2, 10) and (1, 10), by one set of weights
        var boxes = tensor(new float[,] { { 0, 0, 0, 200, 120 }, { 0, 16, 20, 90, 110 } });      // image, x1, y1, x2, y2 in pixels
        var scores = network.forward(wide, boxes);                                               // (2, 10): the backbone ran once
        torchscript.save(network, "sppnet.pt", small);   // in Python: torch.jit.load("sppnet.pt")(images), or (images, boxes)
        // </sppnet>

        Assert.Equal([2, 10], of_small.shape);
        Assert.Equal([2, 10], scores.shape);
        Tolerance.AssertClose(of_wide[0], scores[0], 1e-5);   // the first box is the whole image
        using var script = torchscript.load<Tensor>("sppnet.pt");
        Tolerance.AssertClose(of_wide, script.call(wide), 1e-5);
        Tolerance.AssertClose(scores, script.call(wide, boxes), 1e-5);
    }

    [Fact]
    public void What_cannot_be_changed_is_registered()
    {
        using var scope = NewDisposeScope();

        // <register>
        torchscript.register<Theirs>(module => new("def forward(self, x: Tensor) -> Tensor:\n    return x * self.factor", ("factor", module.Factor)));
        // </register>

        torchscript.save(new Theirs(), "theirs.pt", rand(2, 3));
    }

    [Fact]
    public void The_table_of_what_is_exported_is_true()
    {
        var rows = Rows().Matches(Readme).ToDictionary(row => row.Groups[1].Value, row => Names().Matches(row.Groups[2].Value).Select(name => name.Groups[1].Value).ToHashSet());
        var exported = ParityTable.Cases.Values.SelectMany(item => item.Create().modules().Prepend(item.Create())).Select(module => module.GetType())
            .Where(type => type.Assembly == typeof(TorchSharp.Modules.Linear).Assembly).Select(type => type.Name.Split('`')[0]);
        Assert.Equal(
            exported.Distinct().Order(StringComparer.Ordinal),
            rows.Where(row => row.Key is not ("exported" or "refused")).SelectMany(row => row.Value).Order(StringComparer.Ordinal));
        var refused = ParityTableTests.Refused.Select(item => item.Module.GetType().Name).Except(["LSTM"]);
        Assert.Equal(refused.Order(StringComparer.Ordinal), rows["refused"].Order(StringComparer.Ordinal));
    }

    /// <summary>The README's script for checkpoints of PyTorch ports.</summary>
    internal static string PythonOfPorts() => Python().Matches(Readme).Select(match => match.Groups[1].Value).Single(code => code.Contains("checkpoint", StringComparison.Ordinal));

    private static string Code(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(Root(), "TorchPooling.Tests/ReadmeTests.cs"));
        var start = Array.FindIndex(lines, line => line.Trim() == $"// <{name}>") + 1;
        var end = Array.FindIndex(lines, line => line.Trim() == $"// </{name}>");
        var indent = lines[start].Length - lines[start].TrimStart().Length;
        return string.Concat(lines[start..end].Select(line => (line.Length > indent ? line[indent..] : "") + "\n"));
    }

    private static string Root([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "..");

    [GeneratedRegex(@"```python\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Python();

    [GeneratedRegex(@"^\| ([a-z, ]+) \| (.*`[A-Z].*) \|$", RegexOptions.Multiline)]
    private static partial Regex Rows();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]+)`")]
    private static partial Regex Names();
}

internal sealed class Theirs() : nn.Module<Tensor, Tensor>(nameof(Theirs))
{
    public double Factor => 3;

    public override Tensor forward(Tensor x) => x * Factor;
}

// <residual>
public sealed class Residual : nn.Module<Tensor, Tensor>, IScriptable
{
    private readonly nn.Module<Tensor, Tensor> body;
    private readonly double scale;

    public Residual(nn.Module<Tensor, Tensor> body, double scale = 0.5)
        : base(nameof(Residual))
    {
        (this.body, this.scale) = (body, scale);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => x + scale * body.call(x);

    public ScriptDefinition script() => new(
        """
        def forward(self, x: Tensor) -> Tensor:
            return x + self.scale * self.body.forward(x)
        """,
        (nameof(scale), scale));
}
// </residual>
