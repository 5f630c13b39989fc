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
    /// <summary>Recall@1 by kind of query, with its standard error.</summary>
    public static string Table(IReadOnlyList<Place> queries, IEnumerable<string> kinds, IReadOnlyDictionary<string, PoolingProgress> poolings)
    {
        var groups = queries.Select((query, number) => (query.Kind, number)).Where(item => item.Kind is not null)
            .GroupBy(item => item.Kind!, item => item.number).OrderBy(group => group.First()).ToList();
        if (groups.Count == 0)
        {
            return "";
        }

        var html = new StringBuilder("<h2>Hard queries</h2>\n<p class=\"note\">Trained recall@1 by kind of query, ± one standard error.</p>\n<table><tr><th>pooling</th>");
        html.AppendJoin("", groups.Select(group => $"<th>{group.Key} ({group.Count()})</th>")).Append("</tr>\n");
        foreach (var kind in kinds)
        {
            html.Append($"<tr><td>{kind}</td>").AppendJoin("", groups.Select(group => $"<td>{Share([.. group.Select(number => poolings[kind].FirstRight[number])])}</td>"))
                .Append("</tr>\n");
        }

        return html.Append("</table>\n").ToString();
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

    private static string Share(bool[] right)
    {
        var share = right.Count(value => value) / (double)right.Length;
        return string.Create(CultureInfo.InvariantCulture, $"{share:0.000} ± {Math.Sqrt(share * (1 - share) / right.Length):0.000}");
    }
}
