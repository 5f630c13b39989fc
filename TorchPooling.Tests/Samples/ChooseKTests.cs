using System.Globalization;
using System.Text.Json;
using PlaceRecognition.Commands;
using PlaceRecognition.Report;
using PlaceRecognition.Training;

namespace TorchPooling.Tests.Samples;

/// <summary>The sample's command choose-k, on a small world.</summary>
[Collection(nameof(AloneCollection))]
public class ChooseKTests
{
    private static readonly string[] Small = ["choose-k", "--quick", "--image-size", "36x48", "--clusters", "4,2", "--queries-per-epoch", "4"];

    [Fact]
    public async Task Each_K_is_started_trained_and_measured_on_the_validation_split()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((0, ""), await Run([.. Small, "--epochs", "1", "--out", folder.File("run")]));
        Assert.Equal(["choose-k.html", "choose-k.json"], Names(folder.File("run")));

        using var json = JsonDocument.Parse(File.ReadAllBytes(folder.File("run/choose-k.json")));
        var root = json.RootElement;
        Assert.Equal("netvlad", root.GetProperty("pooling").GetString());
        var options = root.GetProperty("options");
        Assert.Equal([2, 4], options.GetProperty("clusters").EnumerateArray().Select(k => k.GetInt32()));
        Assert.Equal((5, 0.0005, false), (options.GetProperty("negatives").GetInt32(), options.GetProperty("learning_rate").GetDouble(), options.GetProperty("hard_queries").GetBoolean()));
        Assert.Equal(25, root.GetProperty("validation_queries").GetInt32());   // of the small world's one validation street
        var trials = root.GetProperty("trials").EnumerateArray().ToArray();
        Assert.Equal([2, 4], trials.Select(trial => trial.GetProperty("clusters").GetInt32()));
        Assert.Equal([2 * 64, 4 * 64], trials.Select(trial => trial.GetProperty("dimensions").GetInt32()));
        Assert.Equal([4 * 2 * 64, 4 * 4 * 64], trials.Select(trial => trial.GetProperty("bytes_per_picture").GetInt32()));
        foreach (var trial in trials)
        {
            var start = trial.GetProperty("start");
            Assert.InRange(start.GetProperty("contrast").GetDouble(), 99.9, 100.1);
            Assert.InRange(start.GetProperty("entropy").GetDouble(), 0.5, 1);
            Assert.Equal(1, start.GetProperty("used_clusters").GetDouble());
            var recall = trial.GetProperty("trained").GetProperty("recall@1").GetDouble();
            Assert.Equal(Math.Round(recall * 25), recall * 25, 9);
            Assert.Equal(Math.Sqrt(recall * (1 - recall) / 25), trial.GetProperty("standard_error@1").GetDouble(), 12);
            Assert.Equal(1, trial.GetProperty("best_epoch").GetInt32());
            Assert.All(["pooling_seconds_per_picture", "search_seconds_per_query_of_a_million", "train_seconds"], time => Assert.True(trial.GetProperty(time).GetDouble() > 0));
        }

        var errors = trials.Select(trial => trial.GetProperty("start").GetProperty("quantization_error").GetDouble()).ToArray();
        Assert.True(errors[0] > errors[1] && errors[1] > 0, $"{errors[0]} {errors[1]}");

        var page = File.ReadAllText(folder.File("run/choose-k.html"));
        Assert.Contains("has the best validation recall@1 after training", page, StringComparison.Ordinal);
        Assert.Contains("trained recall@5", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_epochs_the_starts_alone_are_measured_and_the_test_split_need_not_exist()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((0, ""), await Run(["render", "--quick", "--image-size", "36x48", "--out", folder.File("photos")]));
        Directory.Delete(folder.File("photos/images/test"), recursive: true);
        string[] arguments = [.. Small, "--epochs", "0", "--data", folder.File("photos"), "--out", folder.File("run")];
        Assert.Equal((0, ""), await Run(arguments));
        using var json = JsonDocument.Parse(File.ReadAllBytes(folder.File("run/choose-k.json")));
        Assert.All(json.RootElement.GetProperty("trials").EnumerateArray(), trial =>
        {
            Assert.Equal(JsonValueKind.Null, trial.GetProperty("trained").ValueKind);
            Assert.InRange(trial.GetProperty("untrained").GetProperty("recall@10").GetDouble(), trial.GetProperty("untrained").GetProperty("recall@1").GetDouble(), 1);
        });
        var page = File.ReadAllText(folder.File("run/choose-k.html"));
        Assert.Contains("has the best validation recall@1 without training", page, StringComparison.Ordinal);
        Assert.Contains("nothing was trained", page, StringComparison.Ordinal);

        Assert.Equal((1, $"{folder.File("run")} already holds choose-k.html: choose another --out"), await Run(arguments));
    }

    [Fact]
    public async Task Stopped_in_training_it_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        var error = new StringWriter(CultureInfo.InvariantCulture);
        var cli = new Cli(error) { EpochDone = (name, done) => { if (name == "K = 2" && done == 1) { stop.Cancel(); } } };
        Assert.Equal(130, await cli.Run([.. Small, "--epochs", "2", "--out", folder.File("run")], stop.Token));
        Assert.Equal("Stopped. Nothing is kept.", error.ToString().TrimEnd());
        Assert.Empty(Names(folder.Path));
    }

    [Theory]
    [InlineData("--clusters: expected different numbers from 1, for example 4,8,16, got '4,0'", "--clusters", "4,0")]
    [InlineData("--clusters: expected different numbers from 1, for example 4,8,16, got '4,4'", "--clusters", "4,4")]
    [InlineData("--clusters: expected different numbers from 1, for example 4,8,16, got 'many'", "--clusters", "many")]
    [InlineData("--clusters 99999: expected a matrix (M ≥ 99999, 64)", "--quick", "--image-size", "36x48", "--clusters", "2,99999")]
    [InlineData("--pooling: expected a pooling whose clusters k-means starts, gem has none such", "--pooling", "gem")]
    [InlineData("--pooling: expected a pooling whose clusters k-means starts, salad has none such", "--pooling", "salad")]
    [InlineData("--pooling: expected a pooling that answers by one descriptor, patchnetvlad looks twice", "--pooling", "patchnetvlad")]
    [InlineData("--pooling: expected one pooling, got netvlad,gem", "--pooling", "netvlad,gem")]
    [InlineData("--pooling: expected some of netvlad", "--pooling", "none")]
    [InlineData("--epochs: expected 0 or more, got -1", "--epochs", "-1")]
    [InlineData("--queries-per-epoch: expected 1 or more, got 0", "--queries-per-epoch", "0")]
    [InlineData("--device: expected cpu, cuda or cuda:N, got 'tpu'", "--device", "tpu")]
    [InlineData("no folder", "--data", "no-such-folder")]
    public async Task What_cannot_be_is_one_clear_line_and_exit_code_1(string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var (code, error) = await Run(["choose-k", .. arguments, "--out", folder.File("run")]);
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
        Assert.Empty(Names(folder.Path));
    }

    [Fact]
    public void The_smallest_K_within_one_standard_error_of_the_best_is_chosen()
    {
        // K = 4 and K = 8 both lie 4 of 100 below the best. Of K = 4, 7 + 3 queries differ from it, √(10 − 4²/100) = 3.1; of
        // K = 8, 12 + 8, √(20 − 4²/100) = 4.5. The error of the best alone, √(0.8 · 0.2 / 100) = 4.0, would take both.
        var choice = new KChoice([Trial(2, 0, 50), Trial(4, 7, 83), Trial(8, 12, 88), Trial(16, 0, 80), Trial(32, 0, 78)]);
        Assert.Equal((16, 8), (choice.Best.Clusters, choice.Chosen.Clusters));
        Assert.Equal((100, 0.04), (choice.Queries, Math.Round(choice.Error(0.8), 12)));
        Assert.Equal(Math.Sqrt(9.84) / 100, choice.LagError(choice.Trials[1]), 12);
        Assert.Equal(
            "K = 16 has the best validation recall@1 without training, 80.0 ± 4.0 % (one standard error of 100 queries); K = 8 is the smallest within one "
            + "standard error of it, 4.0 ± 4.5 points lower (paired by query). At K = 8 a descriptor has 512 numbers (2 KiB), and a search among a million of "
            + "them takes 8 ms; at K = 16 it has 1024 (4 KiB), and a search takes 16 ms.",
            ChooseKFinding.Of(choice));
    }

    [Fact]
    public void A_best_K_at_the_end_of_the_run_is_said_to_be_there()
    {
        Assert.Contains(
            "; K = 4 is the smallest within one standard error of it, 2.0 ± 4.7 points lower (paired by query).",
            ChooseKFinding.Of(new([Trial(2, 0, 50), Trial(4, 12, 90), Trial(8, 0, 80)])), StringComparison.Ordinal);
        Assert.EndsWith(
            "The best is the largest K of this run: a larger one may be better still.", ChooseKFinding.Of(new([Trial(2, 0, 50), Trial(4, 0, 80)])), StringComparison.Ordinal);
        Assert.Contains(
            ", and no smaller K of this run lies within one standard error of it (paired by query).",
            ChooseKFinding.Of(new([Trial(2, 0, 50), Trial(4, 0, 80)])), StringComparison.Ordinal);
        Assert.Contains(", and is the smallest K of this run.", ChooseKFinding.Of(new([Trial(2, 0, 80), Trial(4, 0, 80)])), StringComparison.Ordinal);
        Assert.EndsWith(
            "At K = 4 only 50 % of the clusters are the nearest of a descriptor.",
            ChooseKFinding.Of(new([Trial(2, 0, 80), Trial(4, 0, 80, used: 0.5)])), StringComparison.Ordinal);
    }

    /// <summary>A trial that answers those of 100 queries right.</summary>
    private static ClusterTrial Trial(int k, int from, int to, double used = 1) => new(
        k, new(10, 100, 1.0 / k, used, 1), 1, 64 * k, 1e-5, 1e-3 * k, [(to - from) / 100.0],
        [.. Enumerable.Range(0, 100).Select(q => q >= from && q < to)]);

    private static async Task<(int Code, string Error)> Run(string[] arguments)
    {
        var error = new StringWriter(CultureInfo.InvariantCulture);
        return (await new Cli(error).Run(arguments), error.ToString().TrimEnd());
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)!;
}
