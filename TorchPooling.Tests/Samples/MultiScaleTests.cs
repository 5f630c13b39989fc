using System.Globalization;
using System.Text.Json;
using MultiScale.Commands;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>The sample as a user runs it, in its short form.</summary>
[Collection(nameof(AloneCollection))]
public class MultiScaleTests
{
    private static readonly string[] Networks = ["flatten", "global average", "global max", "SPP, one size", "SPP, several sizes"];

    [Fact]
    public async Task Drawn_shapes_leave_a_model_of_any_size_numbers_and_a_report()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((0, ""), await Run("--quick", "--seed", "3", "--train-sizes", "20,32", "--draw", "image", "--out", folder.Path));
        Assert.Equal(["metrics.json", "model.pt", "report.html"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        using var metrics = JsonDocument.Parse(File.ReadAllBytes(folder.File("metrics.json")));
        var root = metrics.RootElement;
        Assert.Equal("image", root.GetProperty("options").GetProperty("draw").GetString());
        Assert.Equal(["20", "32"], Trained(root, "SPP, several sizes").Select(size => size.Name));
        Assert.Equal(96, Trained(root, "SPP, several sizes").Sum(size => size.Value.GetInt64()));
        Assert.Equal([("28", 96L)], Trained(root, "flatten").Select(size => (size.Name, size.Value.GetInt64())));
        Check(root, ["20", "24", "28", "32", "40", "48", "64"]);

        using var scope = NewDisposeScope();
        using var model = torchscript.load<Tensor>(folder.File("model.pt"));
        foreach (var (height, width) in new[] { (4, 4), (20, 33), (101, 57) })
        {
            Assert.Equal([2, 10], model.call(rand(2, 1, height, width)).shape);
        }

        Assert.Equal([3, 10], model.call(rand(2, 1, 50, 60), tensor(new float[,] { { 0, 0, 0, 60, 50 }, { 1, 3, 5, 20, 22 }, { 1, 40, 8, 59, 31 } })).shape);

        var report = File.ReadAllText(folder.File("report.html"));
        string[] said = ["drawn for every picture, a batch running through the network size by size", "Mistakes of “SPP, several sizes”", "Search for objects over one map", "<figcaption>scene 1</figcaption>", "<td>SPP, one size</td>"];
        Assert.All(said, text => Assert.Contains(text, report, StringComparison.Ordinal));
        Assert.DoesNotContain("src=\"http", report, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", report, StringComparison.Ordinal);

        Assert.Equal((1, $"{folder.Path} already holds report.html: choose another --out\n"), await Run("--quick", "--out", folder.Path));
    }

    [Theory]
    [InlineData("model.pt")]
    [InlineData("metrics.json")]
    public async Task Files_that_are_there_are_nobody_s_to_replace(string name)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(name), "mine");
        Assert.Equal((1, $"{folder.Path} already holds {name}: choose another --out\n"), await Run("--quick", "--out", folder.Path));
        Assert.Equal("mine", File.ReadAllText(Assert.Single(Directory.GetFileSystemEntries(folder.Path))));
    }

    [Fact]
    public async Task Files_of_Fashion_MNIST_are_learned()
    {
        using var folder = new TemporaryFolder();
        FashionMnistTests.Write(folder, train: 40, test: 30);
        Assert.Equal((0, ""), await Run("--quick", "--data", folder.Path, "--draw", "epoch", "--out", folder.File("run")));   // five sizes, so five epochs of 32 pictures
        using var metrics = JsonDocument.Parse(File.ReadAllBytes(folder.File("run/metrics.json")));
        Assert.Equal((40, 30), (metrics.RootElement.GetProperty("train_pictures").GetInt32(), metrics.RootElement.GetProperty("test_pictures").GetInt32()));
        Assert.Equal([("20", 32L), ("24", 32), ("28", 32), ("32", 32), ("40", 32)], Trained(metrics.RootElement, "SPP, several sizes").Select(size => (size.Name, size.Value.GetInt64())));
        Check(metrics.RootElement, ["20", "24", "28", "32", "40"]);
    }

    [Fact]
    public async Task Sizes_that_never_came_up_are_told()
    {
        using var folder = new TemporaryFolder();
        FashionMnistTests.Write(folder, train: 40, test: 30);
        Assert.Equal((0, ""), await Run("--quick", "--data", folder.Path, "--train-sizes", "20,24", "--out", folder.File("run")));   // one step, so one size
        using var metrics = JsonDocument.Parse(File.ReadAllBytes(folder.File("run/metrics.json")));
        var (came, missing) = Assert.Single(Trained(metrics.RootElement, "SPP, several sizes")).Name == "20" ? (20, 24) : (24, 20);
        var report = File.ReadAllText(folder.File("run/report.html"));
        Assert.Contains($"The last network learns from {came} pixels ({missing} never came up), drawn for every batch", report, StringComparison.Ordinal);
        Assert.Contains($"Training at several sizes ({came}) against training at 28 alone", report, StringComparison.Ordinal);
    }

    private static JsonElement.ObjectEnumerator Trained(JsonElement root, string network) =>
        root.GetProperty("networks").GetProperty(network).GetProperty("trained_pictures_by_size").EnumerateObject();

    private static void Check(JsonElement root, string[] sizes)
    {
        var pictures = root.GetProperty("test_pictures").GetInt32();
        Assert.Equal(Networks, root.GetProperty("networks").EnumerateObject().Select(network => network.Name));
        foreach (var network in root.GetProperty("networks").EnumerateObject().Select(network => network.Value))
        {
            Assert.Equal(sizes, network.GetProperty("accuracy").EnumerateObject().Select(size => size.Name));
            foreach (var size in network.GetProperty("accuracy").EnumerateObject())
            {
                var share = size.Value.GetDouble();
                Assert.Equal(Math.Round(share * pictures), share * pictures, 9);
                Assert.Equal(Math.Sqrt(share * (1 - share) / pictures), network.GetProperty("standard_error").GetProperty(size.Name).GetDouble(), 12);
            }

            Assert.True(network.GetProperty("train_seconds").GetDouble() > 0 && network.GetProperty("milliseconds_per_picture").GetDouble() > 0);
        }

        // Backbone: 16·9 + 16 + 32 (batch norm), 32·16·9 + 32 + 64, and so on; then classes times what is pooled, and 10 biases.
        const long Backbone = (9 * 16) + (3 * 16) + (9 * 16 * 32) + (3 * 32) + (9 * 32 * 64) + (3 * 64) + (9 * 64 * 64) + (3 * 64);
        long[] pooled = [64 * 49, 64, 64, 64 * 21, 64 * 21];
        Assert.Equal(pooled.Select(length => Backbone + (10 * length) + 10), Networks.Select(name => root.GetProperty("networks").GetProperty(name).GetProperty("parameters").GetInt64()));

        var search = root.GetProperty("search");
        Assert.InRange(search.GetProperty("right").GetInt32(), 0, Math.Min(search.GetProperty("found").GetInt32(), search.GetProperty("objects").GetInt32()));
        Assert.True(search.GetProperty("objects").GetInt32() > 0 && search.GetProperty("ratio_least").GetDouble() > 0);
        Assert.InRange(search.GetProperty("ratio").GetDouble(), search.GetProperty("ratio_least").GetDouble(), search.GetProperty("ratio_most").GetDouble());
        Assert.Equal(get_num_threads(), root.GetProperty("threads").GetInt32());
        Assert.InRange(search.GetProperty("whole_scene_difference").GetDouble(), 0, 1e-4);
        Assert.All(root.GetProperty("export").EnumerateArray(), check =>
        {
            Assert.InRange(check.GetProperty("max_abs_difference").GetDouble(), 0, 1e-4);
            Assert.InRange(check.GetProperty("of_boxes").GetDouble(), 0, 1e-4);
        });
    }

    [Theory]
    [InlineData("'bogus'", "bogus")]
    [InlineData("--epochs: expected 1 to 1000, got 0", "--epochs", "0")]
    [InlineData("--epochs", "--epochs", "many")]
    [InlineData("--train-sizes: expected different sizes in pixels, for example 20,28,40, got '20,20'", "--train-sizes", "20,20")]
    [InlineData("--train-sizes: expected different sizes in pixels, for example 20,28,40, got 'small'", "--train-sizes", "small")]
    [InlineData("--train-sizes: expected sizes from 8 to 128 pixels, got 7", "--train-sizes", "20,7")]
    [InlineData("--train-sizes: expected sizes from 8 to 128 pixels, got 129", "--train-sizes", "129")]
    [InlineData("--train-sizes: expected sizes whose drawn pictures take 1 GiB or less together, got 2.1 GiB", "--train-sizes", "120,124,128")]
    [InlineData("--draw epoch: expected an epoch for each of the 4 sizes of --train-sizes or more, got --epochs 3", "--draw", "epoch", "--epochs", "3")]
    [InlineData("--draw epoch: expected an epoch for each of the 2 sizes of --train-sizes or more, got --epochs 1", "--quick", "--draw", "epoch", "--train-sizes", "20,40", "--epochs", "1")]
    [InlineData("Argument 'never' not recognized", "--draw", "never")]
    [InlineData("--threads: expected 1 or more, or 0 for all, got -1", "--threads", "-1")]
    [InlineData("--device: expected cpu, cuda or cuda:N, got 'tpu'", "--device", "tpu")]
    [InlineData("--data: expected a name, got an empty one", "--data", "")]
    [InlineData("no-such-folder: expected the four files of Fashion-MNIST, train-images-idx3-ubyte or train-images-idx3-ubyte.gz is missing", "--data", "no-such-folder")]
    public async Task What_cannot_be_is_one_clear_line_and_exit_code_1(string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var (code, error) = await Run([.. arguments, "--out", folder.File("run")]);
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_stopped_run_ends_cleanly_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var error = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(130, await new Cli(error).Run(["--quick", "--out", folder.File("run")], stop.Token));
        Assert.Equal("Stopped. Nothing is kept.", error.ToString().TrimEnd());
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_run_that_is_stopped_in_training_leaves_no_file_and_no_tensor()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var stopped = "";
        var cli = new Cli(TextWriter.Null)
        {
            EpochDone = (network, _) =>
            {
                stopped = network;
                if (network == "global average")
                {
                    stop.Cancel();
                }
            },
        };
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Assert.Equal(130, await cli.Run(["--quick", "--out", folder.File("run")], stop.Token));
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        Assert.Equal("global average", stopped);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    private static async Task<(int Code, string Error)> Run(params string[] arguments)
    {
        var error = new StringWriter(CultureInfo.InvariantCulture);
        return (await new Cli(error).Run(arguments), error.ToString().ReplaceLineEndings("\n"));
    }
}
