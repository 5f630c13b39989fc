namespace Stability.Report;

/// <summary>Whether what was measured is what was claimed.</summary>
internal enum Verdict
{
    Agrees,
    AgreesInPart,
    Disagrees,
    CannotBeTold,
}

/// <summary>A part of a claim: what was measured, and whether that is as claimed.</summary>
/// <param name="Text">With the numbers, without the judgement.</param>
/// <param name="Holds">Null where the numbers do not tell.</param>
internal sealed record Part(string Text, bool? Holds)
{
    public string Word => Holds switch { true => "as claimed", false => "not as claimed", null => "cannot be told" };
}

/// <summary>A claim of the notes, and what was measured of each of its parts.</summary>
/// <param name="English">The claim, translated.</param>
/// <param name="Chinese">The notes' own words, in pieces of one line each.</param>
/// <param name="Aside">What is to be known beside it, and is not judged; as text.</param>
internal sealed record Claim(string Title, string English, IReadOnlyList<string> Chinese, IReadOnlyList<Part> Parts, string Aside = "")
{
    private const string Quote = "border-left:4px solid #0072b2;margin:1em 0;padding:.2em 1em;max-width:52em";

    /// <summary>All parts hold, some, none; cannot be told where the parts that are not told decide between these.</summary>
    public Verdict Verdict => (Parts.Any(part => part.Holds == true), Parts.Any(part => part.Holds == false), Parts.Any(part => part.Holds is null)) switch
    {
        (true, true, _) => Verdict.AgreesInPart,
        (_, _, true) => Verdict.CannotBeTold,
        (true, false, false) => Verdict.Agrees,
        _ => Verdict.Disagrees,
    };

    public string Word => Verdict switch
    {
        Verdict.Agrees => "agrees",
        Verdict.AgreesInPart => "agrees in part",
        Verdict.Disagrees => "does not agree",
        _ => "cannot be told from this run",
    };

    /// <summary>A quick run judges nothing.</summary>
    public Claim In(Metrics metrics) => metrics.Options.Quick ? this with { Parts = [.. Parts.Select(part => part with { Holds = null })] } : this;

    /// <param name="body">Tables and charts.</param>
    public string Html(string body) =>
        $"""
        <h2>{HtmlPage.Encode(Title)}</h2>
        <blockquote style="{Quote}">“{HtmlPage.Encode(English)}”<br><span class="note" lang="zh">{HtmlPage.Encode(string.Join(" … ", Chinese))}</span></blockquote>
        <p><b>Measured: {Word}.</b></p>
        <ul style="max-width:60em">
        {string.Concat(Parts.Select(part => $"<li>{HtmlPage.Encode(part.Text)} <b>({part.Word})</b></li>\n"))}</ul>
        {(Aside.Length > 0 ? $"<p style=\"max-width:60em\">{HtmlPage.Encode(Aside)}</p>" : "")}
        {body}

        """;

    /// <summary>Whether all of them hold: false where one does not, null where it hangs on what cannot be told.</summary>
    public static bool? All(IEnumerable<bool?> parts) => parts.Aggregate((bool?)true, (all, part) => all & part);
}
