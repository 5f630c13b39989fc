using System.Globalization;
using System.Net;
using System.Text;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>The comparison of K as one self-contained HTML file.</summary>
internal sealed class ChooseKPage(RunOptions options, KChoice choice, string device)
{
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
        <title>Choosing K of {{options.Training.Poolings[0]}}</title>
        <style>
        {{PageStyle.Css}}
        table { margin: 0 0 1.5em; } caption { text-align: left; font-weight: 600; padding: .3em 0; }
        </style>
        </head>
        <body>
        <h1>How many clusters for {{options.Training.Poolings[0]}}?</h1>
        <p>{{Encode(ChooseKFinding.Of(choice))}}</p>
        <p class="note">The same network with each K, {{options.ImageSize.Height}}×{{options.ImageSize.Width}} pixels, seed {{options.Training.Seed}}; {{Encode(Trained)}}
        {{Encode(Source)}} Recall is that of the {{choice.Queries}} queries of the validation split; the test split is not touched, and a last test on it
        belongs to the K that was chosen. The chart's bars are the standard errors √(r(1 − r)/n) of each recall alone. All K answer the same queries, so the choice goes by
        the standard error of the difference to the best, √(b + c − (b − c)²/n)/n, b and c the queries that only one of the two answers right. Both tell of the queries
        alone: another seed of the training moves recall too.</p>
        {{ChooseKCharts.Svg(choice)}}
        <h2>Numbers</h2>
        {{ChooseKTables.Html(choice)}}
        <p class="note">Quantization error: mean squared distance of a local descriptor to its nearest centre. Used clusters: share that is the nearest of at least one.
        Entropy: of the mean assignment, divided by ln K; 1 where all clusters get the same. k-means: one run of at most 100 rounds, with these measures.
        Pooling: the layer alone, in batches of 32 pictures. Search: one query, scaled to a million pictures from random descriptors that fill 64 MiB.
        These two are medians of warm rounds, on {{Encode(device)}}.</p>
        </body>
        </html>
        """);

    private string Trained => options.Training.Epochs == 0
        ? "nothing was trained."
        : $"{options.Training.Epochs} epoch{(options.Training.Epochs == 1 ? "" : "s")} of {options.Training.QueriesPerEpoch} queries for each K, and of these the epoch with the best validation recall@5.";

    private string Source => options.Data is null
        ? "Streets drawn by the sample." + (options.HardQueries ? $" {HardQueries.Note}" : "")
        : $"Photographs of {options.Data}.";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
