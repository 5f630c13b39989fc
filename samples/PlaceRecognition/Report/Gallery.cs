using System.Globalization;
using System.Text;
using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using SkiaSharp;

namespace PlaceRecognition.Report;

/// <summary>Queries beside their nearest database pictures.</summary>
internal static class Gallery
{
    private const int Shown = 5;
    private const int Width = 160;

    private static readonly SKColor Right = SKColor.Parse("#2a9d3f");
    private static readonly SKColor Wrong = SKColor.Parse("#d1332e");
    private static readonly SKColor Neutral = SKColor.Parse("#777777");

    /// <summary>Rows of HTML: queries at even steps through the list, so none is picked by its result.</summary>
    public static string Html(PlaceSet places, Recall recall, ImageSize size, int rows)
    {
        var html = new StringBuilder("<div class=\"gallery\">\n");
        for (var row = 0; row < Math.Min(rows, places.Queries.Count); row++)
        {
            var number = row * places.Queries.Count / Math.Min(rows, places.Queries.Count);
            var query = places.Queries[number];
            html.Append("<div class=\"row\">").Append(Figure(query, Neutral, size, "query"));
            foreach (var found in recall.Nearest[number].Take(Shown).Select(d => places.Database[d]))
            {
                var distance = query.DistanceTo(found);
                html.Append(Figure(found, distance <= Recall.Radius ? Right : Wrong, size, Metres(distance)));
            }

            html.Append("</div>\n");
        }

        return html.Append("</div>\n").ToString();
    }

    /// <summary>One picture: the query, then what was found, framed by right or wrong where the query's position is known.</summary>
    public static SKBitmap Strip(Place query, IReadOnlyList<Place> found, ImageSize size)
    {
        using var first = Framed(query, Neutral, size);
        var strip = new SKBitmap(first.Width * (found.Count + 1), first.Height);
        using var canvas = new SKCanvas(strip);
        canvas.DrawBitmap(first, 0, 0);
        for (var i = 0; i < found.Count; i++)
        {
            var distance = query.DistanceTo(found[i]);
            using var picture = Framed(found[i], double.IsNaN(distance) ? Neutral : distance <= Recall.Radius ? Right : Wrong, size);
            canvas.DrawBitmap(picture, first.Width * (i + 1), 0);
        }

        return strip;
    }

    private static string Figure(Place place, SKColor color, ImageSize size, string caption)
    {
        using var framed = Framed(place, color, size);
        return $"<figure>{Pixels.Html(framed, place.Name)}<figcaption>{caption}</figcaption></figure>";
    }

    private static SKBitmap Framed(Place place, SKColor color, ImageSize size)
    {
        using var bitmap = place.Picture(Width, Math.Max(1, Width * size.Height / size.Width));
        return Pixels.Frame(bitmap, color);
    }

    private static string Metres(double distance) => distance < 1000
        ? string.Create(CultureInfo.InvariantCulture, $"{distance:0} m away")
        : string.Create(CultureInfo.InvariantCulture, $"{distance / 1000:0.0} km away");
}
