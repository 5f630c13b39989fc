namespace Experiments.Report;

/// <summary>How the pages of the sample look.</summary>
internal static class PageStyle
{
    public const string Css =
        """
        body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1120px; margin: 2em auto; padding: 0 1em; }
        h1, h2 { font-weight: 600; } h2 { margin-top: 2em; }
        table { border-collapse: collapse; } th, td { padding: .3em .6em; text-align: right; border-bottom: 1px solid #ddd; }
        td { white-space: nowrap; } th:first-child, td:first-child { text-align: left; } tr.best td { font-weight: 600; }
        svg, img { max-width: 100%; height: auto; } .charts svg { margin: 0 0 1em; }
        figure { margin: 0 6px 6px 0; } figcaption { font-size: 13px; color: #555; text-align: center; }
        .row { display: flex; } .wrapped { flex-wrap: wrap; } .wide { display: flex; } .wide figure { flex: 0 1 auto; }
        .legend span { margin-right: 1.6em; } .legend i { display: inline-block; width: 1.6em; height: .35em; margin: 0 .5em .2em 0; }
        .note { color: #555; max-width: 52em; }
        """;
}
