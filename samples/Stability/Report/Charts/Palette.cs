using OxyPlot;

namespace Stability.Report.Charts;

/// <summary>Colours that stay apart for every kind of colour vision (Okabe, Ito), as far as they reach, and a marker for each: no two pairs
/// are alike.</summary>
internal static class Palette
{
    private static readonly (OxyColor Color, MarkerType Marker, char Sign)[] Entries =
    [
        (OxyColor.Parse("#0072b2"), MarkerType.Circle, '●'), (OxyColor.Parse("#d55e00"), MarkerType.Square, '■'), (OxyColor.Parse("#000000"), MarkerType.Triangle, '▲'),
        (OxyColor.Parse("#cc79a7"), MarkerType.Diamond, '◆'), (OxyColor.Parse("#56b4e9"), MarkerType.Square, '■'), (OxyColor.Parse("#e69f00"), MarkerType.Circle, '●'),
        (OxyColor.Parse("#009e73"), MarkerType.Diamond, '◆'), (OxyColor.Parse("#8a8a8a"), MarkerType.Circle, '●'), (OxyColor.Parse("#b22222"), MarkerType.Triangle, '▲'),
    ];

    public static OxyColor Color(int i) => Entries[i % Entries.Length].Color;

    public static MarkerType Marker(int i) => Entries[i % Entries.Length].Marker;

    /// <summary>Which colour and marker is what, as HTML.</summary>
    public static string Legend(IEnumerable<string> names) => "<p class=\"legend\">" + string.Concat(names.Select((name, i) =>
        $"<span style=\"white-space:nowrap\"><span style=\"margin:0 .4em 0 0;color:{Chart.Css(Color(i))}\">{Entries[i % Entries.Length].Sign}</span>{HtmlPage.Encode(name)}</span> ")) + "</p>";
}
