using System.Globalization;
using System.Text.RegularExpressions;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Report;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using SkiaSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>What the report says, against figures computed by hand.</summary>
public class ReportTests
{
    [Theory]
    [InlineData("1111100000", "0000000000", "0000000000", "avg", "0.0", "50.0 ± 15.8", "NetVLAD is clearly ahead.")]        // √(5 − 25/10)/10 = 0.158
    [InlineData("1000000000", "1111111000", "0000000001", "max", "70.0", "-60.0 ± 15.5", "NetVLAD is clearly behind.")]     // √(6 − 36/10)/10 = 0.155
    [InlineData("1110000000", "1000000000", "0100011000", "avg", "30.0", "0.0 ± 20.0", "That is no clear difference: more epochs, or more pictures, are the first thing to try.")]   // √4/10
    public void NetVLAD_is_compared_with_the_better_of_max_and_average(
        string netvlad, string max, string avg, string name, string theirs, string difference, string verdict)
    {
        var finding = Finding.Of(new Dictionary<string, PoolingProgress>
        {
            ["netvlad"] = Trained(netvlad),
            ["spp"] = Trained("1111111111"),
            ["avg"] = Trained(avg),
            ["max"] = Trained(max),
        });
        Assert.Contains($"{name} pooling (of max and average the better) {theirs} %", finding, StringComparison.Ordinal);
        Assert.Contains($"a difference of {difference} points (one standard error, paired by query). {verdict}", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_its_rivals_nothing_is_said_of_NetVLAD()
    {
        Assert.Equal("", Finding.Of(new Dictionary<string, PoolingProgress> { ["netvlad"] = Trained("10"), ["spp"] = Trained("10") }));
        Assert.Equal("", Finding.Of(new Dictionary<string, PoolingProgress> { ["avg"] = Trained("10") }));
    }

    [Fact]
    public void Hard_queries_have_a_recall_by_kind_and_its_difference_to_the_first_pooling()
    {
        var queries = "ssssrrrr".Select(kind => Query(kind == 's' ? "much sky" : "much road")).ToList();
        var html = HardQueries.Table(queries, ["netvlad", "ghostvlad"], new Dictionary<string, PoolingProgress>
        {
            ["ghostvlad"] = Trained("11110001"),
            ["netvlad"] = Trained("10001100"),
        });
        Assert.Contains("<th>much sky (4)</th><th>much road (4)</th><th>all (8)</th>", html, StringComparison.Ordinal);
        Assert.Contains("difference to netvlad", html, StringComparison.Ordinal);

        // √(¼ · ¾ / 4), √(½ · ½ / 4) and √(⅜ · ⅝ / 8).
        Assert.Contains("<td>netvlad</td><td>0.250 ± 0.217</td><td>0.500 ± 0.250</td><td>0.375 ± 0.171</td>", html, StringComparison.Ordinal);

        // √(3 − 9/4)/4, √(1 + 2 − 1/4)/4 and √(4 + 2 − 4/8)/8.
        Assert.Contains(
            "<td>ghostvlad</td><td>1.000 ± 0.000<br>+0.750 ± 0.217</td><td>0.250 ± 0.217<br>−0.250 ± 0.415</td><td>0.625 ± 0.171<br>+0.250 ± 0.293</td>",
            html, StringComparison.Ordinal);
        Assert.Equal("", HardQueries.Table([Query(null)], ["netvlad"], new Dictionary<string, PoolingProgress> { ["netvlad"] = Trained("1") }));
    }

    [Theory]
    [InlineData(100, 0)]      // the two ghosts take all: nothing is left to see
    [InlineData(0, 160)]      // two of ten equal shares: a fifth darker
    [InlineData(-100, 200)]
    public void The_share_of_the_ghosts_darkens_a_query(float bias, byte grey)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var size = new ImageSize(32, 48);
        using var network = new PlaceNetwork(Pooling.Find("ghostvlad"), clusters: 8, size);
        network.eval();
        using var layer = new GhostVLAD(num_clusters: 8, dim: 64, num_ghosts: 2, bias: true);
        var weights = layer.state_dict();
        weights["conv.weight"].zero_();
        weights["conv.bias"].zero_();
        weights["conv.bias"].narrow(0, 8, 2).fill_(bias);
        using var bitmap = FeaturePictures.Ghosts(network, layer, Query("much sky"), size);
        Assert.Equal((96, 64), (bitmap.Width, bitmap.Height));
        Assert.All(bitmap.Pixels, pixel => Assert.Equal(new SKColor(grey, grey, grey), pixel));

        var html = HardQueries.Ghosts(network, layer, [Query("blurred"), Query("blurred"), Query("much sky")], size);
        Assert.Equal(["blurred", "much sky"], Regex.Matches(html, "<figcaption>(.*?)</figcaption>").Select(match => match.Groups[1].Value));
    }

    [Fact]
    public void Precision_and_recall_of_the_first_answers()
    {
        // By distance: right, right, wrong, and a fourth that can have no right answer; three of the four are answerable.
        PlaceSet test = new("test", [At(0)], [At(1), At(2), At(500), At(3)]);
        var progress = new PoolingProgress { FirstDistance = [0.2, 0.6, 0.8, 0.4], FirstRight = [true, false, false, true] };
        var (precision, recall, average) = Recall.PrecisionRecall(progress.FirstDistance, progress.FirstRight, test);
        Assert.Equal([1, 1, 2 / 3.0, 2 / 4.0], precision);
        Assert.Equal([1 / 3.0, 2 / 3.0, 2 / 3.0, 2 / 3.0], recall);
        Assert.Equal(2 / 3.0, average, 12);

        // The same curve is drawn: its axes go from 0 to 1, in pixels from 72 to 736 and from 324 up to the first precision, 1.
        var line = Regex.Match(Charts.PrecisionRecall([progress], test), @"<polyline points=""([^""]*)"" style=""fill:none;stroke:rgb\(0,114,178\)").Groups[1].Value;
        var points = Array.ConvertAll(line.Split(' '), point => Array.ConvertAll(point.Split(','), x => double.Parse(x, CultureInfo.InvariantCulture)));
        Assert.Equal(recall, points.Select(point => Math.Round((point[0] - 72) / 664, 4)), (expected, drawn) => Math.Abs(expected - drawn) < 1e-3);
        Assert.Equal(precision, points.Select(point => (324 - point[1]) / (324 - points[0][1])), (expected, drawn) => Math.Abs(expected - drawn) < 1e-3);
    }

    /// <summary>A pooling that answers the queries with a 1 right.</summary>
    private static PoolingProgress Trained(string right) => new()
    {
        Trained = [right.Count(digit => digit == '1') / (double)right.Length],
        FirstRight = [.. right.Select(digit => digit == '1')],
    };

    private static Place At(double east) => new($"{east}", east, 0, _ => { });

    private static Place Query(string? kind) => new("query", 0, 0, bitmap => bitmap.Erase(new SKColor(200, 200, 200)), kind);
}
