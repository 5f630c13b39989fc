using System.Globalization;
using System.Text;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Training;
using TorchPooling;

namespace PlaceRecognition.Report;

/// <summary>What each pooling makes of queries with much sky or road, and of blurred ones; empty where a data set has no kinds.</summary>
internal static class HardQueries
{
    /// <summary>What a world of hard queries is.</summary>
    public const string Note =
        "Hard queries: of every four, in training and validation as in the test, one is as drawn, one shows much sky, one much road, one is blurred.";

    /// <summary>Recall@1 by kind of query, and its difference to that of the first pooling.</summary>
    public static string Table(IReadOnlyList<Place> queries, IReadOnlyList<string> poolings, IReadOnlyDictionary<string, PoolingProgress> progress)
    {
        var groups = queries.Select((query, number) => (query.Kind, number)).Where(item => item.Kind is not null)
            .GroupBy(item => item.Kind!, item => item.number).OrderBy(group => group.First())
            .Select(group => (group.Key, Numbers: group.ToArray())).Append((Key: "all", Numbers: [.. Enumerable.Range(0, queries.Count)])).ToList();
        if (groups.Count == 1)
        {
            return "";
        }

        var html = new StringBuilder("<h2>Hard queries</h2>\n<p class=\"note\">Trained recall@1 by kind of query, ± one standard error.");
        html.Append(poolings.Count > 1 ? $" Below it the difference to {poolings[0]}, its error paired by query; another seed of the training moves it too.</p>\n" : "</p>\n");
        html.Append("<table><tr><th>pooling</th>").AppendJoin("", groups.Select(group => $"<th>{group.Key} ({group.Numbers.Length})</th>")).Append("</tr>\n");
        foreach (var pooling in poolings)
        {
            html.Append($"<tr><td>{pooling}</td>").AppendJoin("", groups.Select(group =>
                $"<td>{Share(Right(pooling, group.Numbers))}{(pooling == poolings[0] ? "" : $"<br>{Difference(Right(pooling, group.Numbers), Right(poolings[0], group.Numbers))}")}</td>"))
                .Append("</tr>\n");
        }

        return html.Append("</table>\n").ToString();

        bool[] Right(string pooling, int[] numbers) => Array.ConvertAll(numbers, number => progress[pooling].FirstRight[number]);
    }

    /// <summary>One query of each kind, and the same darkened where ghost clusters take its descriptors.</summary>
    public static string Ghosts(PlaceNetwork network, GhostVLAD layer, IReadOnlyList<Place> queries, ImageSize size)
    {
        var html = new StringBuilder("<h2>What GhostVLAD leaves out</h2>\n<p class=\"note\">Parts of a query in the dark go to ghost clusters: the darker, the less they count.</p>\n<div class=\"wide\">");
        foreach (var query in queries.DistinctBy(query => query.Kind).Take(StreetData.Kinds.Count))
        {
            using var plain = query.Picture(size.Width * 2, size.Height * 2);
            using var ghosts = FeaturePictures.Ghosts(network, layer, query, size);
            html.Append($"<figure>{Pixels.Html(plain, query.Name)}<br>{Pixels.Html(ghosts, query.Name)}<figcaption>{query.Kind ?? "a query"}</figcaption></figure>");
        }

        return html.Append("</div>\n").ToString();
    }

    private static string Share(bool[] right) =>
        string.Create(CultureInfo.InvariantCulture, $"{Mean(right):0.000} ± {StandardError.OfShare(Mean(right), right.Length):0.000}");

    private static string Difference(bool[] ours, bool[] theirs) =>
        string.Create(CultureInfo.InvariantCulture, $"{Mean(ours) - Mean(theirs):+0.000;−0.000;0.000} ± {StandardError.OfDifference(ours, theirs):0.000}");

    private static double Mean(bool[] right) => right.Count(value => value) / (double)right.Length;
}
