using System.Globalization;
using System.Text.Json;
using Experiments;
using PlaceRecognition.Commands;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>The sample as a user runs it, on a small world.</summary>
[Collection(nameof(AloneCollection))]
public class PlaceRecognitionTests
{
    private static readonly string[] Small = ["--quick", "--pooling", "netvlad,avg", "--queries-per-epoch", "12", "--image-size", "36x48"];

    [Fact]
    public async Task Photographs_train_a_model_that_is_evaluated_and_asked()
    {
        using var folder = new TemporaryFolder();
        var (photos, run) = (folder.File("photos"), folder.File("run"));
        await Succeeds("render", "--out", photos, "--quick", "--image-size", "36x48");
        await Succeeds([.. Small, "--epochs", "1", "--data", photos, "--out", run]);
        Assert.Equal(["checkpoint", "metrics.json", "model.pt", "report.html"], Names(run));

        using var metrics = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(run, "metrics.json")));
        var netvlad = metrics.RootElement.GetProperty("poolings").GetProperty("netvlad");
        Assert.Equal(8 * 64, netvlad.GetProperty("dimensions").GetInt32());
        Assert.InRange(netvlad.GetProperty("trained").GetProperty("recall@10").GetDouble(), netvlad.GetProperty("trained").GetProperty("recall@1").GetDouble(), 1);
        Assert.InRange(metrics.RootElement.GetProperty("export").GetProperty("max_abs_difference").GetDouble(), 0, 1e-5);
        Assert.True(metrics.RootElement.GetProperty("images_per_second").GetDouble() > 0);

        var report = File.ReadAllText(Path.Combine(run, "report.html"));
        Assert.Contains("What NetVLAD's clusters stand for", report, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", report, StringComparison.Ordinal);

        var model = Path.Combine(run, "model.pt");
        await Succeeds("evaluate", "--model", model, "--data", photos);
        var query = Directory.GetFiles(Path.Combine(photos, "images/test/queries"))[0];
        await Succeeds("query", "--model", model, "--database", Path.Combine(photos, "images/test/database"), "--image", query, "--out", folder.File("answer.png"));
        Assert.True(new FileInfo(folder.File("answer.png")).Length > 1000);
    }

    [Fact]
    public async Task A_stopped_run_resumes_to_the_same_numbers_as_an_uninterrupted_one()
    {
        using var folder = new TemporaryFolder();
        string[] options = [.. Small, "--epochs", "3"];
        await Succeeds([.. options, "--out", folder.File("whole")]);

        // Stopped in the middle of the second epoch of the first pooling, and again in the second pooling.
        await StoppedAfter("netvlad", 1, [.. options, "--out", folder.File("parts")]);
        await StoppedAfter("avg", 2, [.. options, "--out", folder.File("parts"), "--resume"]);
        await Succeeds("--out", folder.File("parts"), "--resume");   // its options are in the checkpoint
        Assert.Equal(Numbers(folder.File("whole")), Numbers(folder.File("parts")));
    }

    [Fact]
    public async Task Hard_queries_are_trained_compared_by_kind_and_evaluated()
    {
        using var folder = new TemporaryFolder();
        await Succeeds(
            "--quick", "--hard-queries", "--pooling", "patchnetvlad,netvlad,ghostvlad", "--epochs", "1", "--queries-per-epoch", "4", "--image-size", "36x48",
            "--out", folder.File("run"));
        using var metrics = JsonDocument.Parse(File.ReadAllBytes(folder.File("run/metrics.json")));
        var options = metrics.RootElement.GetProperty("options");
        Assert.True(options.GetProperty("hard_queries").GetBoolean());
        Assert.Equal((8, 4, 5, 0.0005, 1), (Number("clusters"), Number("queries_per_epoch"), Number("negatives"), Number("learning_rate"), Number("seed")));
        Assert.Equal(50, metrics.RootElement.GetProperty("test_queries").GetInt32());
        var poolings = metrics.RootElement.GetProperty("poolings");
        foreach (var pooling in poolings.EnumerateObject())
        {
            var recall = pooling.Value.GetProperty("trained").GetProperty("recall@1").GetDouble();
            Assert.Equal(Math.Sqrt(recall * (1 - recall) / 50), pooling.Value.GetProperty("standard_error@1").GetDouble(), 12);
            Assert.InRange(pooling.Value.GetProperty("average_precision").GetDouble(), 0, recall);
            Assert.Equal(pooling.Name == "patchnetvlad", pooling.Value.GetProperty("milliseconds_per_query_of_second_look").GetDouble() > 0);
        }

        var report = File.ReadAllText(folder.File("run/report.html"));
        string[] said =
        [
            "Hard queries: of every four, in training and validation as in the test, one is as drawn, one shows much sky, one much road, one is blurred.",
            "patchnetvlad answers as netvlad does, then computes and compares the patches of the query and of its first 25 answers: another ",
            "Exported: patchnetvlad, the descriptor of its first look",
            "Below it the difference to patchnetvlad",
            "<th>as drawn (14)</th><th>much sky (12)</th><th>much road (12)</th><th>blurred (12)</th><th>all (50)</th>",
            "What GhostVLAD leaves out",
            "<figcaption>much road</figcaption>",
        ];
        Assert.All(said, text => Assert.Contains(text, report, StringComparison.Ordinal));

        // What is exported of patchnetvlad is its first look, which is netvlad's.
        string[] evaluate = ["evaluate", "--quick", "--hard-queries", "--model", folder.File("run/model.pt")];
        var recalls = poolings.GetProperty("netvlad").GetProperty("trained").EnumerateObject().Select(recall => recall.Value.GetDouble().ToString("0.000", CultureInfo.InvariantCulture));
        Assert.Contains($"within 25 m: {string.Join(" / ", recalls)}", await Printed(evaluate), StringComparison.Ordinal);
        Assert.Equal((1, "--hard-queries: photographs are as they are; it is for the drawn streets\n"), await Run([.. evaluate, "--data", folder.Path]));

        double Number(string name) => options.GetProperty(name).GetDouble();
    }

    [Theory]
    [InlineData("'bogus'", "bogus")]
    [InlineData("--pooling: expected some of netvlad,patchnetvlad,", "--pooling", "vladnet")]
    [InlineData("--pooling: expected each pooling once, got max,max", "--pooling", "max,max")]
    [InlineData("--epochs: expected 1 or more, got 0", "--epochs", "0")]
    [InlineData("--epochs", "--epochs", "many")]
    [InlineData("--learning-rate: expected a positive number, got -1", "--learning-rate", "-1")]
    [InlineData("--image-size: expected HEIGHTxWIDTH in pixels up to 4096, for example 72x96, got '72'", "--image-size", "72")]
    [InlineData("--image-size: the network takes images from 8x8 pixels, got 4x9", "--image-size", "4x9")]
    [InlineData("--clusters 99999: expected a matrix (M ≥ 99999, 64)", "--quick", "--clusters", "99999", "--image-size", "36x48")]
    [InlineData("the loss is no longer finite: lower --learning-rate", "--quick", "--learning-rate", "1e30", "--image-size", "36x48", "--pooling", "netvlad")]
    [InlineData("the network gives descriptors that are not finite: train it with a lower --learning-rate", "--quick", "--queries-per-epoch", "4", "--learning-rate", "1e30", "--image-size", "36x48", "--pooling", "avg")]
    [InlineData("--device: expected cpu, cuda or cuda:N, got 'tpu'", "--device", "tpu")]
    [InlineData("no folder", "--data", "no-such-folder")]
    [InlineData("no checkpoint to resume from", "--resume", "--name", "no-such-run")]
    [InlineData("--data: expected a name, got an empty one", "--data", "")]
    [InlineData("--out: expected a name, got an empty one", "--name", "no-such-run", "--out", "")]
    [InlineData("--name: expected a name, got an empty one", "--resume", "--name", " ")]
    [InlineData("--model: expected a name, got an empty one", "evaluate", "--model", "")]
    [InlineData("--database: expected a name, got an empty one", "query", "--model", "m.pt", "--database", "", "--image", "i")]
    [InlineData("--image: expected a name, got an empty one", "query", "--model", "m.pt", "--database", "d", "--image", "")]
    [InlineData("--out: expected a name, got an empty one", "query", "--model", "m.pt", "--database", "d", "--image", "i", "--out", "")]
    [InlineData("--out: expected a name, got an empty one", "render", "--out", "")]
    [InlineData("--data: expected a name, got an empty one", "choose-k", "--data", "")]
    [InlineData("--hard-queries: photographs are as they are; it is for the drawn streets", "--hard-queries", "--data", "d")]
    [InlineData("--hard-queries: photographs are as they are; it is for the drawn streets", "choose-k", "--hard-queries", "--data", "d")]
    [InlineData("--model: no file no-such.pt", "evaluate", "--model", "no-such.pt")]
    [InlineData("--model", "evaluate")]
    [InlineData("Argument 'all' not recognized. Must be one of: 'train'", "evaluate", "--model", "m.pt", "--split", "all")]
    [InlineData("--top: expected 1 or more, got 0", "query", "--model", "m.pt", "--database", "d", "--image", "i", "--top", "0")]
    public async Task What_cannot_be_is_one_clear_line_and_exit_code_1(string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var isTraining = arguments[0].StartsWith("--", StringComparison.Ordinal) && !arguments.Contains("--name");
        var (code, error) = await Run(isTraining ? [.. arguments, "--out", folder.File("run")] : arguments);
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Too_few_pictures_are_one_clear_line_and_leave_nothing()
    {
        using var folder = new TemporaryFolder();
        foreach (var part in new[] { "train", "val", "test" }.SelectMany(split => new[] { $"{split}/database", $"{split}/queries" }))
        {
            Directory.CreateDirectory(folder.File($"images/{part}"));
        }

        var (code, error) = await Run(["--data", folder.Path, "--out", folder.File("run")]);
        Assert.Equal((1, "train: too few pictures: 0 in the database, 0 queries\n"), (code, error));
        Assert.False(Directory.Exists(folder.File("run")));
    }

    [Fact]
    public async Task Pictures_that_changed_since_the_checkpoint_are_noticed()
    {
        using var folder = new TemporaryFolder();
        await Succeeds("render", "--out", folder.File("photos"), "--quick", "--image-size", "36x48");
        await StoppedAfter("netvlad", 1, [.. Small, "--epochs", "2", "--data", folder.File("photos"), "--out", folder.File("run")]);
        File.Delete(Directory.GetFiles(folder.File("photos/images/train/database"))[0]);
        var (code, error) = await Run(["--resume", "--out", folder.File("run")]);
        Assert.Equal(1, code);
        Assert.Contains("was started with other options or pictures: Places was", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_runs_do_not_share_a_folder()
    {
        using var folder = new TemporaryFolder();
        using var held = new RunFolder(folder.File("run"));
        var (code, error) = await Run([.. Small, "--out", folder.File("run")]);
        Assert.Equal(1, code);
        Assert.Contains("another run is writing there", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_that_no_query_can_pass_is_one_clear_line()
    {
        using var folder = new TemporaryFolder();
        await Succeeds("render", "--out", folder.File("photos"), "--quick", "--image-size", "36x48");
        foreach (var query in Directory.GetFiles(folder.File("photos/images/val/queries")))
        {
            File.Move(query, Path.Combine(Path.GetDirectoryName(query)!, "@1" + Path.GetFileName(query)[2..]));   // somewhere else
        }

        var (code, error) = await Run([.. Small, "--data", folder.File("photos"), "--out", folder.File("run")]);
        Assert.Equal(1, code);
        Assert.Equal("val: none of the 25 queries has a database picture within 25 m\n", error);
    }

    [Fact]
    public async Task A_folder_beside_the_target_of_render_is_nobody_s_to_delete()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("photos.partial"));
        await Succeeds("render", "--out", folder.File("photos"), "--quick", "--image-size", "9x12");
        Assert.Equal(["photos", "photos.partial"], Names(folder.Path));
        var (code, error) = await Run(["render", "--out", folder.File("photos"), "--quick"]);
        Assert.Equal(1, code);
        Assert.Contains("is a file or a folder that is not empty", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_neither_overwritten_nor_resumed_with_other_options()
    {
        using var folder = new TemporaryFolder();
        string[] options = [.. Small, "--out", folder.File("run")];
        await StoppedAfter("netvlad", 1, [.. options, "--epochs", "2"]);
        var kept = File.ReadAllBytes(folder.File("run/checkpoint"));

        var (code, error) = await Run([.. options, "--epochs", "2"]);
        Assert.Equal(1, code);
        Assert.Contains("already holds a run: add --resume to go on, or choose another --name", error, StringComparison.Ordinal);
        (code, error) = await Run([.. options, "--epochs", "3", "--resume"]);
        Assert.Equal(1, code);
        Assert.Contains("was started with other options or pictures: Training.Epochs was 2, is 3", error, StringComparison.Ordinal);
        Assert.Equal(kept, File.ReadAllBytes(folder.File("run/checkpoint")));
        Assert.Equal(["checkpoint"], Names(folder.File("run")));
    }

    [Fact]
    public async Task Somebody_s_file_in_the_folder_is_not_replaced()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("model.pt"), "mine");
        Assert.Equal((1, $"{folder.Path} already holds model.pt: choose another --out\n"), await Run([.. Small, "--out", folder.Path]));
        Assert.Equal(["model.pt"], Names(folder.Path));
        Assert.Equal("mine", File.ReadAllText(folder.File("model.pt")));
    }

    [Fact]
    public async Task Files_that_are_no_model_or_no_checkpoint_are_one_clear_line()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("model.pt"), "garbage");
        var (code, error) = await Run(["evaluate", "--model", folder.File("model.pt")]);
        Assert.Equal(1, code);
        Assert.Contains("--model: " + folder.File("model.pt") + " is no TorchScript file: it is no zip archive, it starts with \"garbage\"", error, StringComparison.Ordinal);
        (code, error) = await Run(["evaluate", "--model", folder.Path]);
        Assert.Equal(1, code);
        Assert.Contains("--model: ", error, StringComparison.Ordinal);
        Assert.Contains(folder.Path, error, StringComparison.Ordinal);
        (code, error) = await Run(["evaluate", "--model", folder.File("none.pt")]);
        Assert.Equal(1, code);
        Assert.Contains("--model: no file " + folder.File("none.pt"), error, StringComparison.Ordinal);

        Directory.CreateDirectory(folder.File("run"));
        File.WriteAllText(folder.File("run/checkpoint"), "garbage");
        (code, error) = await Run(["--out", folder.File("run"), "--resume"]);
        Assert.Equal(1, code);
        Assert.Contains("no checkpoint to resume from", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Float32 [72, 96]", ScalarType.Float32, 72, 96)]
    [InlineData("Int64 [72]", ScalarType.Int64, 72)]
    [InlineData("Int64 [72, 0]", ScalarType.Int64, 72, 0)]
    [InlineData("Int64 [72, 4097]", ScalarType.Int64, 72, 4097)]
    public async Task A_model_with_another_image_size_is_one_clear_line(string got, ScalarType dtype, params int[] sides)
    {
        using var folder = new TemporaryFolder();
        using var model = nn.Sequential(nn.Flatten());
        model.register_buffer("image_size", tensor(sides).to(dtype));
        torchscript.save(model, folder.File("model.pt"), ones(1, 2));
        var (code, error) = await Run(["evaluate", "--quick", "--model", folder.File("model.pt")]);
        Assert.Equal(1, code);
        Assert.Equal($"--model: {folder.File("model.pt")}: expected an image_size of height and width in Int64, got {got}", error.TrimEnd());
    }

    internal static async Task Succeeds(params string[] arguments) => Assert.Equal((0, ""), await Run(arguments));

    private static async Task<(int Code, string Error)> Run(string[] arguments)
    {
        var error = new StringWriter(CultureInfo.InvariantCulture);
        return (await new Cli(error).Run(arguments), error.ToString().ReplaceLineEndings("\n"));
    }

    /// <summary>What a run prints.</summary>
    private static async Task<string> Printed(string[] arguments)
    {
        var (terminal, output) = (Console.Out, new StringWriter(CultureInfo.InvariantCulture));
        Console.SetOut(output);
        try
        {
            await Succeeds(arguments);
            return output.ToString();
        }
        finally
        {
            Console.SetOut(terminal);
        }
    }

    /// <summary>Runs until the pooling has finished so many epochs, then stops as Ctrl-C does.</summary>
    internal static async Task StoppedAfter(string kind, int epochs, string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        var error = new StringWriter(CultureInfo.InvariantCulture);
        var cli = new Cli(error) { EpochDone = (pooling, done) => { if (pooling == kind && done == epochs) { stop.Cancel(); } } };
        Assert.Equal(130, await cli.Run(arguments, stop.Token));
        Assert.StartsWith("Stopped.", error.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)!;

    /// <summary>All of metrics.json that does not depend on the clock.</summary>
    internal static string Numbers(string run)
    {
        using var metrics = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(run, "metrics.json")));
        return string.Join("\n", metrics.RootElement.GetProperty("poolings").EnumerateObject().Select(pooling =>
            pooling.Name + string.Concat(pooling.Value.EnumerateObject().Where(value => value.Name != "train_seconds" && !value.Name.StartsWith("milliseconds", StringComparison.Ordinal)).Select(value => $" {value.Name}={value.Value.GetRawText()}"))));
    }
}
