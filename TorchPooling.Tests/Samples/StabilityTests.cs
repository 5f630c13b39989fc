using System.Text.Json;
using Stability.Commands;

namespace TorchPooling.Tests.Samples;

/// <summary>The sample as a user runs it, in its short form.</summary>
[Collection(nameof(AloneCollection))]
public class StabilityTests
{
    private static readonly string[] Layers = ["pictures", "conv 1", "ReLU 1", "pool 1", "conv 2", "ReLU 2", "pool 2", "conv 3", "ReLU 3", "pool 3", "scores"];
    private static readonly string[] Changes = ["deformation", "translation", "translation_half", "interpolation", "scale", "scale_down", "rotation"];
    private static readonly string[] Poolings = ["max", "average", "strided convolution", "overlapping max", "max blur", "stochastic", "L2", "mixed", "every other pixel"];

    [Fact]
    public async Task Every_network_is_measured_before_and_after_training_layer_by_layer()
    {
        using var temporary = new TemporaryFolder();
        var folder = temporary.File("run");
        Assert.Equal((0, ""), await Run("--quick", "--out", folder));
        Assert.Equal(["metrics.json", "report.html"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        using var metrics = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "metrics.json")));
        var root = metrics.RootElement;
        Assert.DoesNotContain("NaN", root.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(Layers, Texts(root.GetProperty("layers")));
        var networks = root.GetProperty("networks").EnumerateArray().ToList();
        Assert.Equal(Poolings.Length + 6, networks.Count);
        Assert.Equal(Poolings, networks.Select(network => network.GetProperty("pooling").GetString()!).Distinct());
        Assert.Equal([0, 0.5, 1, 2], networks.Where(network => network.GetProperty("pooling").GetString() == "max").Select(network => network.GetProperty("sigma").GetDouble()).Distinct());
        foreach (var network in networks)
        {
            Check(network.GetProperty("before"));
            Check(network.GetProperty("after"));
        }

        // The filters are the same under every pooling, so that only poolings differ.
        double Before(int network, int layer) => networks[network].GetProperty("before").GetProperty("sensitivity").GetProperty("deformation")[layer].GetDouble();
        double[] Filters(int network) => [.. networks[network].GetProperty("before").GetProperty("filters").EnumerateArray().Select(filters => filters.GetProperty("total_variation").GetDouble())];
        Assert.All(Enumerable.Range(1, Poolings.Length - 1), network => Assert.Equal(Before(0, 2), Before(network, 2), 12));
        Assert.All(Enumerable.Range(1, Poolings.Length - 1), network => Assert.NotEqual(Before(0, 3), Before(network, 3), 4));
        Assert.All(Enumerable.Range(1, Poolings.Length - 1), network => Assert.Equal(Filters(0), Filters(network)));

        // Max: 16·9 + 3·16, 16·32·9 + 3·32, 32·32·9 + 3·32, 10·(32·9) + 10; strided adds c²·9 + 2·c for each block, mixed a number.
        long[] parameters = [17098, 17098, 17098 + (9 * (256 + 1024 + 1024)) + 160, 17098, 17098, 17098, 17098, 17101, 17098];
        Assert.Equal(parameters, networks.Where(network => network.GetProperty("sigma").GetDouble() == 0).Select(network => network.GetProperty("parameters").GetInt64()));

        var report = File.ReadAllText(Path.Combine(folder, "report.html"));
        string[] said =
        [
            "Layer by layer: scale, 1/1.1", "share of low frequencies", "against shuffled filters", "same answer when shifted, before training",
            "Pooling, or the smoothness of filters?", "滤波器平滑度才是关键", "Translation", "输入为（1，5，3）", "Scale", "很大概率的输出仍然是 5", "maximum over learned filters", "3 个学得的过滤器",
            "Parameters saved", "显著降低参数量", "Max keeps texture", "特点是更好地提取纹理信息", "Overlapping windows", "得到的特征表达能力更强，但计算量更大", "its figures say nothing of pooling",
        ];
        Assert.All(said, text => Assert.Contains(text, report, StringComparison.Ordinal));
        Assert.DoesNotContain("src=\"http", report, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", report, StringComparison.Ordinal);
        Assert.Equal(8, report.Split("<b>Measured: cannot be told from this run.</b>").Length - 1);
        Assert.Equal(Changes.Length, report.Split("<details").Length - 1);
        Assert.Equal(8, root.GetProperty("claims").GetArrayLength());

        Assert.Equal((1, $"{folder} already holds report.html: choose another --out\n"), await Run("--quick", "--out", folder));
    }

    [Fact]
    public async Task Files_of_Fashion_MNIST_get_a_border()
    {
        using var folder = new TemporaryFolder();
        FashionMnistTests.Write(folder, train: 40, test: 30);
        Assert.Equal((0, ""), await Run("--quick", "--data", folder.Path, "--out", folder.File("run")));
        using var metrics = JsonDocument.Parse(File.ReadAllBytes(folder.File("run/metrics.json")));
        var root = metrics.RootElement;
        Assert.Equal((40, 30, 32), (root.GetProperty("train_pictures").GetInt32(), root.GetProperty("test_pictures").GetInt32(), root.GetProperty("pixels_a_side").GetInt32()));
    }

    [Theory]
    [InlineData("--seeds: expected 1 to 100, got 0", "--seeds", "0")]
    [InlineData("--epochs: expected 1 to 1000, got -1", "--epochs", "-1")]
    [InlineData("--threads: expected 1 or more, or 0 for all, got -2", "--threads", "-2")]
    [InlineData("--device: expected cpu, cuda or cuda:N, got 'tpu'", "--device", "tpu")]
    [InlineData("nowhere: expected the four files of Fashion-MNIST, train-images-idx3-ubyte or train-images-idx3-ubyte.gz is missing", "--data", "nowhere")]
    [InlineData("Unrecognized command or argument '--poolings'.", "--poolings")]
    public async Task What_is_wrong_is_one_line(string line, params string[] args) => Assert.Equal((1, line + "\n"), await Run(args));

    [Fact]
    public async Task Somebody_s_file_in_the_folder_is_not_replaced()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("metrics.json"), "mine");
        Assert.Equal((1, $"{folder.Path} already holds metrics.json: choose another --out\n"), await Run("--quick", "--out", folder.Path));
        Assert.Equal("mine", File.ReadAllText(Assert.Single(Directory.GetFileSystemEntries(folder.Path))));
    }

    [Fact]
    public async Task A_stopped_run_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var error = new StringWriter { NewLine = "\n" };
        Assert.Equal(130, await new Cli(error).Run(["--quick", "--out", folder.File("run")], stop.Token));
        Assert.Equal("Stopped. Nothing is kept.\n", error.ToString());
        Assert.False(Directory.Exists(folder.File("run")));
    }

    private static void Check(JsonElement snapshot)
    {
        Assert.Equal(Changes, snapshot.GetProperty("sensitivity").EnumerateObject().Select(change => change.Name));
        foreach (var change in snapshot.GetProperty("sensitivity").EnumerateObject())
        {
            var values = change.Value.EnumerateArray().Select(value => value.GetDouble()).ToList();
            Assert.Equal(Layers.Length, values.Count);
            Assert.All(values, value => Assert.InRange(value, 0, 20));
            Assert.True(values[0] > 0);
        }

        Assert.Equal(3, snapshot.GetProperty("filters").GetArrayLength());
        foreach (var filters in snapshot.GetProperty("filters").EnumerateArray().Append(snapshot.GetProperty("all_filters")))
        {
            Assert.InRange(filters.GetProperty("total_variation").GetDouble(), 0.1, 4);
            Assert.InRange(filters.GetProperty("total_variation_ratio").GetDouble(), 0.05, 2);
            Assert.InRange(filters.GetProperty("low_frequency_share").GetDouble(), 0, 1);
        }

        Assert.InRange(snapshot.GetProperty("accuracy").GetDouble(), 0, 1);
        Assert.InRange(snapshot.GetProperty("shift_consistency").GetDouble(), 1.0 / 16, 1);
    }

    private static IEnumerable<string> Texts(JsonElement array) => array.EnumerateArray().Select(item => item.GetString()!);

    private static async Task<(int Code, string Error)> Run(params string[] args)
    {
        var error = new StringWriter { NewLine = "\n" };
        var code = await new Cli(error).Run(args);
        return (code, error.ToString());
    }
}
