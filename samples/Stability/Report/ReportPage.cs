using System.Globalization;
using Stability.Model;
using Stability.Report.Sections;
using static Stability.Report.Format;
using static TorchSharp.torch;

namespace Stability.Report;

/// <summary>The run as one self-contained HTML file.</summary>
/// <param name="images">Those that are changed.</param>
internal sealed class ReportPage(Metrics metrics, Tensor images)
{
    public void Write(Stream stream) => HtmlPage.Write(stream, "What pooling does to invariance", Body());

    private string Body() => string.Create(CultureInfo.InvariantCulture, $"""
        <h1>What pooling does to invariance</h1>
        <p class="note">Networks of three blocks (convolution of 3×3, batch norm, ReLU, pooling; {string.Join(", ", Network.Widths)} channels) and a linear layer over the flattened map, with different poolings, and two of them with filters that start smooth.
        A seed gives all of them the same convolutions in the blocks, of one start, and the same linear layer; a strided convolution is a second convolution for each block and the mixed pooling a number.
        {HtmlPage.Encode(metrics.Source.Description)} {metrics.Source.Train.Count} pictures to learn from, {metrics.Source.Test.Count} to test; {metrics.Options.Epochs} epochs, batches of {metrics.Budget.BatchSize}, AdamW, learning rate up to {metrics.Budget.LearningRate}; seeds 1 to {metrics.Options.Seeds}.
        Sensitivity: how far a change of {images.size(0)} test pictures moves what a layer makes of them, in units of the distance of two different pictures (normalised cosine distance, arXiv 1804.04438).
        The whole run took {metrics.Seconds:0} s on {HtmlPage.Encode(metrics.Device)}.{(metrics.Options.Quick ? " A quick run shows that everything works; its figures say nothing of pooling." : "")}</p>
        {NetworksSection.Tables(metrics)}
        <h2>What is done to the pictures</h2>
        {NetworksSection.Pictures(metrics, images)}
        <h1>Claims of the notes, and what was measured</h1>
        <p class="note">Each part of a claim is judged alone, by the same rule in every run. As claimed: each difference or correlation that it names is above 0 with a probability by chance of 5 % at most (Student's t, one side, of differences seed by seed, or test picture by test picture for overlapping windows; of what poolings explain, exchanges within seeds, as the table says).
        Not as claimed: one is below 0, with 5 % over their number. Else it cannot be told. The claim agrees where all parts do, in part where some do and others do not, and cannot be told where that hangs on parts which cannot. One seed tells nothing of networks, a quick run nothing at all.</p>
        {HtmlPage.Table(["claim", "measured"], metrics.Claims().Select(claim => new[] { HtmlPage.Encode(claim.Title), Left(claim.Word) }))}
        {CentralSection.Html(metrics)}
        <h3>Filters</h3>
        {NetworksSection.Filters(metrics)}
        {TranslationSection.Html(metrics)}
        {RetainedSection.Scale(metrics)}
        {TurnedSection.Html(metrics)}
        {RetainedSection.Slight(metrics)}
        {HeadsSection.Html(metrics)}
        {TextureSection.Html(metrics)}
        {OverlapSection.Html(metrics)}
        """);
}
