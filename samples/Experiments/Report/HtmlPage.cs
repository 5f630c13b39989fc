using System.Net;
using System.Text;

namespace Experiments.Report;

/// <summary>A self-contained HTML file.</summary>
internal static class HtmlPage
{
    /// <param name="stream">Where the page goes.</param>
    /// <param name="title">Of the page, as text.</param>
    /// <param name="body">As HTML.</param>
    public static void Write(Stream stream, string title, string body)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        writer.Write($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Encode(title)}</title>
            <style>
            {PageStyle.Css}
            </style>
            </head>
            <body>
            {body}
            </body>
            </html>

            """);
    }

    /// <summary>A table; its cells are HTML.</summary>
    /// <param name="best">Whether the row of this number is set in bold.</param>
    public static string Table(IEnumerable<string> head, IEnumerable<IEnumerable<string>> rows, Func<int, bool>? best = null) =>
        $"<table><tr>{string.Concat(head.Select(cell => $"<th>{cell}</th>"))}</tr>\n"
        + string.Concat(rows.Select((row, i) => $"<tr{(best?.Invoke(i) == true ? " class=\"best\"" : "")}>{string.Concat(row.Select(cell => $"<td>{cell}</td>"))}</tr>\n"))
        + "</table>";

    /// <summary>A picture with a line under it, as HTML.</summary>
    public static string Figure(string picture, string caption) => $"<figure>{picture}<figcaption>{caption}</figcaption></figure>";

    public static string Encode(string text) => WebUtility.HtmlEncode(text);
}
