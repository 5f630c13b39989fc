using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Distributed.Commands;
using Distributed.Data;
using Distributed.Training;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>The sample as a user runs it, on few drawn pictures.</summary>
[Collection(nameof(AloneCollection))]
public sealed partial class DistributedTests : IDisposable
{
    private static readonly string Interpreter = Environment.GetEnvironmentVariable("TORCHPOOLING_PYTHON") ?? "/usr/bin/python3";
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "finetune.py");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [PyTorchFact]
    public async Task Two_processes_train_together_and_their_weights_come_back()
    {
        using var scope = NewDisposeScope();
        var (data, run) = (Draw(trainPerClass: 60), folder.File("run"));
        var (code, output, error) = await Run("--data", data, "--processes", "2", "--epochs", "6", "--lr", "0.02", "--out", run);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["finetuned.pt", "model.pt"], Names(run));
        var losses = Losses(output);
        Assert.Equal(6, losses.Length);
        Assert.True(losses[^1] < 0.7 * losses[0], output);
        Assert.Contains("rank 0: parameters equal rank 0's", output, StringComparison.Ordinal);
        Assert.Contains("rank 1: parameters equal rank 0's", output, StringComparison.Ordinal);

        var (images, labels) = new ImageFolder(Path.Combine(data, "val")).Load(new(64, 64));
        var input = Classifier.Input(images, CPU);
        using var model = Classifier.Create(classes: 6, seed: 1);
        model.eval();
        using var before = Load(run, "model.pt");
        using var after = Load(run, "finetuned.pt");
        Assert.Equal(0, Difference(model.call(input), before.call(input)), 1e-5);
        torchscript.load_weights(model, Path.Combine(run, "finetuned.pt"));
        Assert.Equal(0, Difference(model.call(input), after.call(input)), 1e-5);
        Assert.True(Difference(before.call(input), after.call(input)) > 0.1);

        // What the sample says of its own model is what the returned file does.
        var accuracy = after.call(input).argmax(1).eq(labels).to(ScalarType.Float64).mean().item<double>();
        Assert.Equal(accuracy, double.Parse(AccuracyAfter().Match(output).Groups[1].Value, CultureInfo.InvariantCulture), 5e-4);
    }

    /// <summary>
    /// Every rank takes its share of the same batches and the gradients are averaged, so any number of processes makes the same
    /// steps. Ranks that saw the same images, all images, or kept their own gradients would not.
    /// </summary>
    [PyTorchFact]
    public async Task This_process_one_and_two_processes_make_the_same_steps()
    {
        using var scope = NewDisposeScope();
        var data = Draw(trainPerClass: 10);
        string[] recipe = ["--epochs", "2", "--batch-size", "20", "--lr", "0.002"];
        foreach (var processes in new[] { "0", "2" })
        {
            Assert.Equal((0, ""), await Outcome(["--data", data, "--processes", processes, .. recipe, "--out", folder.File(processes)]));
        }

        // Without the variables of torchrun it is one process.
        var alone = folder.File("alone.pt");
        Python.Run("import os, runpy, sys; os.environ['CUDA_VISIBLE_DEVICES'] = ''; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')",
            [Script, "--model", folder.File("0/model.pt"), "--data", Path.Combine(data, "train"), "--out", alone, .. recipe]);

        var start = Weights(folder.File("0/model.pt"));
        var weights = new[] { folder.File("0/finetuned.pt"), alone, folder.File("2/finetuned.pt") }.Select(Weights).ToArray();
        Assert.True(Difference(start, weights[0]) > 1e-3);
        Assert.Equal(0, Difference(weights[0], weights[1]), 1e-5);
        Assert.Equal(0, Difference(weights[0], weights[2]), 1e-5);
    }

    [PyTorchFact]
    public void A_model_with_buffers_comes_back_with_rank_0_s()
    {
        using var scope = NewDisposeScope();
        var train = Path.Combine(Draw(trainPerClass: 8), "train");
        var model = nn.Sequential(new VggBackbone([[8], [8]], batch_norm: true), new SpatialPyramidPool2d([1, 2]), nn.Linear(5 * 8, 6));
        torchscript.save(model, folder.File("model.pt"), rand(2, 3, 64, 64));
        var output = new StringWriter(CultureInfo.InvariantCulture);
        new PythonRanks(Interpreter, gpu: false, output).Run(2,
            ["--model", folder.File("model.pt"), "--data", train, "--out", folder.File("finetuned.pt"), "--epochs", "1", "--batch-size", "12"]);
        Assert.Contains("rank 1: parameters equal rank 0's", output.ToString(), StringComparison.Ordinal);

        torchscript.load_weights(model, folder.File("finetuned.pt"));
        var steps = model.named_buffers().Where(buffer => buffer.name.EndsWith("num_batches_tracked", StringComparison.Ordinal)).Select(buffer => buffer.buffer.item<long>());
        Assert.Equal([4, 4], steps);   // 48 images in batches of 12
        model.eval();
        using var script = Load(folder.Path, "finetuned.pt");
        var input = rand(2, 3, 64, 64);
        Assert.Equal(0, Difference(model.call(input), script.call(input)), 1e-5);
    }

    [Fact]
    public async Task The_embedded_run_needs_no_Python()
    {
        var (code, output, error) = await Run("--data", Draw(trainPerClass: 60), "--python", "no-such-python", "--epochs", "6", "--lr", "0.02", "--out", folder.File("run"));
        Assert.Equal((0, ""), (code, error));
        var losses = Losses(output);
        Assert.Equal(6, losses.Length);
        Assert.True(losses[^1] < 0.7 * losses[0], output);
        Assert.Equal(["finetuned.pt", "model.pt"], Names(folder.File("run")));
    }

    [PyTorchFact]
    public async Task A_rank_that_fails_ends_the_others()
    {
        var data = Draw(trainPerClass: 8);
        var broken = Path.Combine(data, "train/door-left_balcony-left/003.png");   // in the share of one rank
        File.WriteAllText(broken, "no picture");
        var (code, output, error) = await Run("--data", data, "--processes", "2", "--epochs", "1", "--out", folder.File("run"));
        Assert.Equal(1, code);
        Assert.Matches("^rank [01] of finetune.py ended with exit code 1: .*cannot identify image file", error);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains("Traceback", output, StringComparison.Ordinal);
        Assert.Equal(["model.pt"], Names(folder.File("run")));
        Assert.Empty(Ranks());
    }

    [PyTorchFact]
    public async Task Ctrl_C_ends_the_ranks()
    {
        using var stop = new CancellationTokenSource();
        var output = new Listener("epoch 1", stop.Cancel);
        var error = new StringWriter(CultureInfo.InvariantCulture);
        var code = await new Cli(output, error).Run(
            ["--data", Draw(trainPerClass: 8), "--processes", "2", "--epochs", "10000", "--out", folder.File("run")], stop.Token);
        Assert.Equal((130, "Stopped.\n"), (code, error.ToString().ReplaceLineEndings("\n")));
        Assert.Equal(["model.pt"], Names(folder.File("run")));
        Assert.Empty(Ranks());
    }

    [Theory]
    [InlineData("'bogus'", "bogus")]
    [InlineData("--data: no folder", "--data", "no-such-folder")]
    [InlineData("--python: no-such-python cannot be started: ", "--processes", "2", "--python", "no-such-python")]
    [InlineData("--python: expected a name, got an empty one", "--processes", "2", "--python", "")]
    [InlineData("--processes: expected 0 or more, got -1", "--processes", "-1")]
    [InlineData("--batch-size: expected a multiple of the 3 processes, got 32", "--processes", "3")]
    [InlineData("--batch-size: expected 1 or more, got 0", "--batch-size", "0")]
    [InlineData("--epochs: expected 1 or more, got 0", "--epochs", "0")]
    [InlineData("--lr: expected a positive number, got -0.5", "--lr", "-0.5")]
    [InlineData("--seed: expected 0 or more, got -1", "--seed", "-1")]
    [InlineData("--device: expected cpu or cuda, got 'tpu'", "--device", "tpu")]
    [InlineData("--image-size: expected HEIGHTxWIDTH, each from 8 to 4096 pixels, for example 64x64, got '64'", "--image-size", "64")]
    public async Task What_cannot_be_is_one_clear_line_and_exit_code_1(string message, params string[] arguments)
    {
        var (code, output, error) = await Run([.. arguments, "--out", folder.File("run")]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_loss_that_is_no_longer_finite_is_one_clear_line()
    {
        var (code, _, error) = await Run("--data", Draw(trainPerClass: 8), "--lr", "1e30", "--epochs", "2", "--out", folder.File("run"));
        Assert.Equal((1, "the loss is no longer finite: lower --lr\n"), (code, error.ReplaceLineEndings("\n")));
        Assert.Equal(["model.pt"], Names(folder.File("run")));
    }

    [Fact]
    public async Task Data_that_does_not_fit_is_one_clear_line_and_a_full_folder_is_left_alone()
    {
        var data = Draw(trainPerClass: 1);
        var (code, _, error) = await Run("--data", Path.Combine(data, "train/door-left_balcony-left"), "--out", folder.File("run"));
        Assert.Equal((1, true), (code, error.StartsWith("--data: no folder ", StringComparison.Ordinal)));
        (code, _, error) = await Run("--data", data, "--out", data);
        Assert.Equal((1, $"--out: expected a new or empty folder, {data} is not empty\n"), (code, error.ReplaceLineEndings("\n")));

        File.Delete(Path.Combine(data, "val/door-left_balcony-left/000.png"));
        (code, _, error) = await Run("--data", data, "--out", folder.File("run"));
        Assert.Equal((1, $"--data: expected one folder of images for each class in {data}/val, got no image in door-left_balcony-left\n"), (code, error.ReplaceLineEndings("\n")));
        Directory.Delete(Path.Combine(data, "val/door-left_balcony-left"));
        (code, _, error) = await Run("--data", data, "--out", folder.File("run"));
        Assert.Equal((1, true), (code, error.StartsWith($"--data: expected the same classes in train and val of {data}, got door-left_balcony-left, ", StringComparison.Ordinal)));
        Assert.Equal(["data"], Names(folder.Path));
    }

    [PyTorchFact]
    public void Finetune_says_what_is_wrong_and_writes_nothing()
    {
        using var scope = NewDisposeScope();
        var train = Path.Combine(Draw(trainPerClass: 1), "train");
        using var model = Classifier.Create(classes: 5, seed: 1);
        torchscript.save(model, folder.File("model.pt"), rand(1, 3, 64, 64));
        File.WriteAllText(folder.File("garbage.pt"), "garbage");
        Directory.CreateDirectory(folder.File("nothing"));
        (string World, string Model, string Data, string Out, string Message)[] cases =
        [
            ("2", "model.pt", train, "out.pt", "started as one of several processes, but without RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT in the environment"),
            ("8", "model.pt", train, "out.pt", "--data: 6 images are too few for 8 processes"),
            ("3", "model.pt", train, "out.pt", "--batch-size: expected a multiple of the 3 processes, got 32"),
            ("1", "none.pt", train, "out.pt", $"--model: cannot load {folder.File("none.pt")}: "),
            ("1", "garbage.pt", train, "out.pt", $"--model: cannot load {folder.File("garbage.pt")}: "),
            ("1", "model.pt", train, "out.pt", "--model: expected logits (1, 6) for an image, as --data has 6 classes, got (1, 5)"),
            ("1", "model.pt", folder.File("none"), "out.pt", $"--data: expected one folder of images for each class in {folder.File("none")}: "),
            ("1", "model.pt", folder.File("nothing"), "out.pt", $"--data: expected one folder of images for each class in {folder.File("nothing")}: "),
            ("1", "model.pt", train, "none/out.pt", $"--out: no folder for {folder.File("none/out.pt")}"),
        ];
        const string RunAll = """
            import json, os, runpy, sys
            for world, model, data, out in json.loads(sys.argv[2]):
                os.environ["WORLD_SIZE"] = world
                sys.argv = [sys.argv[1], "--model", model, "--data", data, "--out", out]
                try:
                    runpy.run_path(sys.argv[0], run_name="__main__")
                except SystemExit as end:
                    print(end.code)
                sys.argv = ["-c", sys.argv[0]]
                os.environ.update(RANK="0", LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT="1")   # from the second case on
            """;
        var arguments = JsonSerializer.Serialize(cases.Select(wrong => new[] { wrong.World, folder.File(wrong.Model), wrong.Data, folder.File(wrong.Out) }));
        var said = Python.Run(RunAll, Script, arguments).Trim().Split('\n');
        Assert.Equal(cases.Length, said.Length);
        Assert.All(cases.Zip(said), pair => Assert.StartsWith($"rank 0: {pair.First.Message}", pair.Second, StringComparison.Ordinal));
        Assert.Equal(["data", "garbage.pt", "model.pt", "nothing"], Names(folder.Path));
    }

    [Fact]
    public void The_drawn_pictures_are_the_same_for_the_same_seed_only()
    {
        HouseFronts.Write(folder.File("a"), 1, 1, seed: 3);
        HouseFronts.Write(folder.File("b"), 1, 1, seed: 3);
        HouseFronts.Write(folder.File("c"), 1, 1, seed: 4);
        byte[] Bytes(string name) => File.ReadAllBytes(folder.File($"{name}/door-right_balcony-right/000.png"));
        Assert.Equal(Bytes("a/train"), Bytes("b/train"));
        Assert.NotEqual(Bytes("a/train"), Bytes("c/train"));
        Assert.NotEqual(Bytes("a/train"), Bytes("a/val"));
    }

    [GeneratedRegex(@"epoch \d+: loss ([\d.]+)")]
    private static partial Regex Loss();

    [GeneratedRegex(@"accuracy after\D*\d+\D+[\d.]+\D+([\d.]+)")]
    private static partial Regex AccuracyAfter();

    private static double[] Losses(string output) =>
        [.. Loss().Matches(output).Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    private string Draw(int trainPerClass)
    {
        HouseFronts.Write(folder.File("data"), trainPerClass, valPerClass: Math.Min(trainPerClass, 5), seed: 1);
        return folder.File("data");
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var (output, error) = (new StringWriter(CultureInfo.InvariantCulture), new StringWriter(CultureInfo.InvariantCulture));
        var code = await new Cli(output, error).Run(arguments);
        return (code, output.ToString(), error.ToString());
    }

    private static async Task<(int Code, string Error)> Outcome(string[] arguments)
    {
        var (code, _, error) = await Run(arguments);
        return (code, error);
    }

    /// <summary>The processes that still work for this test.</summary>
    private IEnumerable<string> Ranks() =>
        Directory.Exists("/proc")
            ? Directory.GetDirectories("/proc").Select(process => Path.Combine(process, "cmdline")).Where(File.Exists).Select(Read).Where(line => line.Contains(folder.Path, StringComparison.Ordinal))
            : [];

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";   // ended meanwhile
        }
    }

    private static jit.ScriptModule<Tensor, Tensor> Load(string folder, string name)
    {
        var script = jit.load<Tensor, Tensor>(Path.Combine(folder, name));
        script.eval();
        return script;
    }

    private static Tensor Weights(string path)
    {
        using var script = jit.load(path);
        return cat([.. script.named_parameters().Select(p => p.parameter.detach().flatten())]);
    }

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)!;

    /// <summary>Acts when a line begins in a certain way.</summary>
    private sealed class Listener(string start, Action act) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(start, StringComparison.Ordinal) == true)
            {
                act();
            }
        }
    }
}
