using Experiments.Training;
using MultiScale.Data;
using MultiScale.Model;
using MultiScale.Report;
using MultiScale.Training;

namespace TorchPooling.Tests.Samples;

/// <summary>What the report says of several sizes against one, against figures computed by hand.</summary>
public class MultiScaleFindingTests
{
    private const string Seeds = " ± is one standard error of the test pictures, from one training of each network: another seed would move the differences too.";

    [Fact]
    public void Ahead_behind_and_even_are_told_apart_by_paired_errors()
    {
        using var source = new Sizes([20, 28, 32, 40]);
        var metrics = Metrics(source, quick: false, several: ["1111111100", "1110000000", "0000000000", "1111100000"], one: ["0000000000", "1100000000", "1111111100", "1111000001"]);
        var differences = Finding.Differences(metrics).ToList();
        Assert.Equal([0.8, 0.1, -0.8, 0], differences.Select(item => item.Difference), (x, y) => Math.Abs(x - y) < 1e-12);

        // √(8 − 64/10)/10, √(1 − 1/10)/10, √(8 − 64/10)/10, √2/10
        Assert.Equal([Math.Sqrt(1.6) / 10, Math.Sqrt(0.9) / 10, Math.Sqrt(1.6) / 10, Math.Sqrt(2) / 10], differences.Select(item => item.Error), (x, y) => Math.Abs(x - y) < 1e-12);
        Assert.Equal(
            "Training at several sizes (20, 28, 40) against training at 28 alone, in points of accuracy: clearly ahead at 20 (+80.0 ± 12.6); "
            + "no clear difference (two standard errors) at 40 (0.0 ± 14.1); clearly behind at 32 (-80.0 ± 12.6). At 28 pixels, where the other learned, the difference is +10.0 ± 9.5. "
            + "Not ahead everywhere: 32 came in no training; of 120,000 pictures each, the other had all at 28 pixels, the one of several sizes 50,000 at 20, 40,000 at 28, 30,000 at 40."
            + Seeds,
            Finding.Of(metrics));
    }

    [Fact]
    public void Ahead_everywhere_needs_no_reason()
    {
        using var source = new Sizes([20, 40]);
        var finding = Finding.Of(Metrics(source, quick: false, several: ["1111111100", "1111111111"], one: ["0000000000", "1000000000"]));
        Assert.EndsWith("clearly ahead at 20 (+80.0 ± 12.6), 40 (+90.0 ± 9.5)." + Seeds, finding, StringComparison.Ordinal);
        Assert.EndsWith(
            "Not ahead everywhere: a quick run trains next to nothing." + Seeds,
            Finding.Of(Metrics(source, quick: true, several: ["1", "1"], one: ["1", "0"])), StringComparison.Ordinal);
    }

    private static Metrics Metrics(Source source, bool quick, string[] several, string[] one) => new(
        new(null, quick, 1, 1, [20, 28, 40, 64], SizeDraw.Batch, 0), new(1, 1, 0.1, 0, 1), source,
        [Result(Method.OfOneSize, source, one), Result(Method.OfSeveralSizes, source, several)], new(1, 1), [], new(0, 0, 0, [1], new(0, 0, null, 0), 0), [], "cpu", 2, 0);

    private static MethodResult Result(string name, Source source, string[] answers) => new(
        Method.All.Single(method => method.Name == name), 0, new Dictionary<int, long> { [20] = 50_000, [28] = 40_000, [40] = 30_000 }, new([], 0),
        source.TestSizes.Zip(answers).ToDictionary(pair => pair.First, pair => new Predictions([], [.. pair.Second.Select(answer => answer == '1')], [])), 0);

    /// <summary>A source of nothing but sizes.</summary>
    private sealed class Sizes(int[] sizes) : Source
    {
        public override string Description => "";

        public override IReadOnlyList<int> TestSizes => sizes;

        public override SizedPictures Train { get; } = new(1, []);

        public override SizedPictures Test { get; } = new(1, []);

        public override Scene Scene(int height, int width, int objects, bool training, int number) => throw new NotSupportedException();
    }
}
