using System.Globalization;
using System.Net;
using System.Text;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using TorchPooling;

namespace PlaceRecognition.Report;

/// <summary>The run as one self-contained HTML file.</summary>
/// <param name="network">The exported network.</param>
/// <param name="assigning">A NetVLAD network whose assignments are shown, if one was trained.</param>
/// <param name="ghost">A GhostVLAD network whose ghosts are shown, if one was trained.</param>
internal sealed class ReportPage(Metrics metrics, LoadedSet test, PlaceNetwork network, PlaceNetwork? assigning, PlaceNetwork? ghost)
{
    private const int GalleryRows = 8;

    private readonly RunOptions options = metrics.Options;
    private readonly IReadOnlyDictionary<string, PoolingProgress> poolings = metrics.Poolings;

    public void Write(Stream stream)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        writer.Write(Page());
    }

    private string Page() => string.Create(CultureInfo.InvariantCulture, $$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Place recognition: {{string.Join(", ", options.Training.Poolings)}}</title>
        <style>
        {{PageStyle.Css}}
        </style>
        </head>
        <body>
        <h1>Which place is on this photo?</h1>
        <p class="note">One VGG-style backbone ({{Encode(Backbone)}}), {{options.ImageSize.Height}}×{{options.ImageSize.Width}} pixels, {{options.Training.Epochs}} epoch{{(options.Training.Epochs == 1 ? "" : "s")}}
        of {{options.Training.QueriesPerEpoch}} queries for each pooling, seed {{options.Training.Seed}}. {{Encode(Source)}}
        The test has {{test.Places.Queries.Count}} queries and {{test.Places.Database.Count}} database pictures{{(options.Data is null ? " of streets that no training saw" : "")}}; a query is found if one of its first N
        answers was taken within {{Recall.Radius}} m. The weights of the epoch with the best validation recall@5 are tested, once.{{(options.Quick ? " A quick run shows that everything works; its figures say nothing of the poolings." : "")}}</p>
        {{Table()}}
        {{SecondLooks()}}
        <p>{{Encode(Finding.Of(poolings))}}</p>
        <p class="note">Exported: {{metrics.Exported}}{{(Pooling.Find(metrics.Exported).LooksTwice ? ", the descriptor of its first look" : "")}}, largest difference between model.pt and the C# network {{metrics.MaxAbsDifference:0.0e+0}}.
        It describes {{metrics.ImagesPerSecond:0}} pictures a second on {{Encode(metrics.Device)}}.</p>
        <h2>Curves</h2>
        {{Charts.Legend(options.Training.Poolings)}}
        <div class="charts">{{Charts.Recall(Ordered)}}{{Charts.PrecisionRecall(Ordered, test.Places)}}{{Charts.Validation(Ordered)}}{{Charts.Loss(Ordered)}}</div>
        <h2>Queries and their five nearest ({{metrics.Exported}})</h2>
        <p class="note">{{GalleryRows}} queries at even steps through the test, not picked by their result. Green: taken within {{Recall.Radius}} m. Red: somewhere else.</p>
        {{Gallery.Html(test.Places, test.Evaluate(network, Pooling.Find(metrics.Exported)).Recall, options.ImageSize, GalleryRows)}}
        <h2>What a spatial pyramid sees</h2>
        <p class="note">The bins of levels 1, 2 and 4 over one query, and in each bin the place where the strongest channel of the {{metrics.Exported}} network's map is largest:
        what max pooling of that bin keeps.</p>
        <div class="wide">{{Bins()}}</div>
        {{Assignments()}}
        {{HardQueries.Table(test.Places.Queries, options.Training.Poolings, poolings)}}
        {{Ghosts()}}
        </body>
        </html>
        """);

    private List<PoolingProgress> Ordered => [.. options.Training.Poolings.Select(kind => poolings[kind])];

    private string Backbone => string.Join(", ", PlaceNetwork.Blocks.Select(widths => string.Join("-", widths))) + " channels";

    private string Source => options.Data is null
        ? "Streets drawn by the sample: façades, shops and trees from seeds, database pictures by day, queries at any hour and in any weather, with passing cars and people."
            + (options.HardQueries ? $" {HardQueries.Note}" : "")
        : $"Photographs of {options.Data}.";

    private string Table()
    {
        var best = poolings.MaxBy(p => p.Value.Trained[0]).Key;
        var rows = options.Training.Poolings.Select(kind => (kind, progress: poolings[kind])).Select(row => string.Create(CultureInfo.InvariantCulture, $"""
            <tr{(row.kind == best ? " class=\"best\"" : "")}><td>{row.kind}</td><td>{row.progress.Dimensions}</td><td>{Summary.Recalls(row.progress.Untrained)}</td>
            <td>{Summary.Recalls(row.progress.Trained)}</td><td>{row.progress.FirstError():0.000}</td><td>{metrics.AveragePrecision(row.progress):0.000}</td>
            <td>{row.progress.Speed!.Network:0.00}</td><td>{row.progress.Speed.Pooling:0.000}</td><td>{row.progress.BestEpoch + 1}</td><td>{row.progress.TrainSeconds:0}</td></tr>

            """));
        return "<table><tr><th>pooling</th><th>dimensions</th><th>untrained recall@1 / 5 / 10</th><th>trained recall@1 / 5 / 10</th>"
            + "<th>± @1</th><th>average precision</th><th>ms an image</th><th>of it pooling</th><th>best epoch</th><th>training, s</th></tr>\n"
            + string.Concat(rows) + "</table>\n<p class=\"note\">± is one standard error, √(r(1 − r)/n), of a trained recall@1 alone: the largest, in bold, need not be clearly the best. "
            + "Average precision: the area under the curve of precision over recall below, by steps.</p>";
    }

    private string SecondLooks() => string.Concat(options.Training.Poolings.Where(kind => poolings[kind].Speed!.SecondLook > 0).Select(kind => string.Create(
        CultureInfo.InvariantCulture,
        $"<p class=\"note\">{kind} answers as netvlad does, then computes and compares the patches of the query and of its first {Math.Min(Recall.Deepest, test.Places.Database.Count)} answers: another {poolings[kind].Speed!.SecondLook:0} ms a query.</p>")));

    private string Bins()
    {
        var query = test.Places.Queries[0];
        return string.Concat(new[] { 1, 2, 4 }.Select(n =>
        {
            using var bitmap = FeaturePictures.Bins(network, query, options.ImageSize, n);
            return $"<figure>{Pixels.Html(bitmap, $"level {n}")}<figcaption>level {n}: {n}×{n}</figcaption></figure>";
        }));
    }

    private string Assignments()
    {
        if (assigning?.Clusters is not { } layer)
        {
            return "";
        }

        var query = test.Places.Queries[0];
        var nearest = test.Places.Database.MinBy(query.DistanceTo)!;
        return "<h2>What NetVLAD's clusters stand for</h2>\n<p class=\"note\">A query, and the database picture taken nearest to it: each part of the map in the colour of the cluster "
            + "that it is assigned to most, stronger where the assignment is surer.</p>\n<div class=\"wide\">"
            + string.Concat(new[] { (query, "query"), (nearest, "nearest database picture") }.Select(item =>
            {
                using var plain = item.Item1.Picture(options.ImageSize.Width * 3, options.ImageSize.Height * 3);
                using var bitmap = FeaturePictures.Assignment(assigning, layer, item.Item1, options.ImageSize);
                return $"<figure>{Pixels.Html(plain, item.Item2)}<figcaption>{item.Item2}</figcaption></figure>"
                    + $"<figure>{Pixels.Html(bitmap, item.Item2)}<figcaption>its clusters</figcaption></figure>";
            }))
            + "</div>";
    }

    private string Ghosts() =>
        ghost?.Clusters is GhostVLAD layer ? HardQueries.Ghosts(ghost, layer, test.Places.Queries, options.ImageSize) : "";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
