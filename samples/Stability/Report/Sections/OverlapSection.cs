using Stability.Claims;
using Stability.Measures;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>Overlapping windows cost more and keep more.</summary>
internal static class OverlapSection
{
    public static string Html(Metrics metrics) => Of(metrics).Html(
        HtmlPage.Table(
            ["pooling", "window, stride", "overlap", "numbers a picture", "values read", "ms a batch", "pictures explained, R²", "place of a spot, pixels off"],
            metrics.Overlaps.Select(item => new[]
            {
                item.Pooling, Size(item), item.Overlaps ? "yes" : "no", Count(item.Outputs), Count(item.Reads), Text(Estimate.Of(item.Milliseconds), 2), Number(item.Pictures.Explained), Number(item.Places.Error),
            }))
        + $"<p class=\"note\">Time: forward and backward on the CPU, {Overlap.Batch} maps of {Overlap.Channels} channels; the mean of several medians. R²: of the test's pictures, guessed linearly (ridge regression learned on other pictures) from their pooled values. "
        + "Place: root mean square error of a blurred spot's position, guessed linearly from its pooled picture. Told picture by picture. No padding.</p>");

    public static Claim Of(Metrics metrics) => new Claim(
        "Overlapping windows",
        "The same as general pooling, but the window is larger than the stride: … the pixels of a region take part in several windows. The features are more expressive, but the computation is larger.",
        ["与一般池化操作相同，但是池化范围", "同一区域内的像素特征可以参与多次滑窗提取，得到的特征表达能力更强，但计算量更大。"],
        [
            .. from pooling in new[] { Overlap.Max, Overlap.Mean }
               from rival in new[] { (Window: 3, Stride: 3, Name: "windows of the same size"), (Window: 2, Stride: 2, Name: "the same stride") }
               from part in Parts(One(metrics, pooling, 3, 2), One(metrics, pooling, rival.Window, rival.Stride), rival.Name)
               select part,
        ]).In(metrics);

    private static IEnumerable<Part> Parts(Overlap over, Overlap apart, string same)
    {
        var who = $"{over.Pooling}, {Size(over)} against {Size(apart)} ({same})";
        yield return new(
            $"More computation: {who}: {Count(over.Reads)} values read instead of {Count(apart.Reads)}, {Text(Estimate.Of(over.Milliseconds), 2)} ms instead of {Text(Estimate.Of(apart.Milliseconds), 2)} ms.",
            Claim.All([over.Reads > apart.Reads, Told.All([Estimate.OfDifferences(over.Milliseconds, apart.Milliseconds).Chance])]));
        yield return new(
            $"More of the pictures: {who}: R² {Number(over.Pictures.Explained)} instead of {Number(apart.Pictures.Explained)}.",
            Told.All([Estimate.OfDifferences(apart.Pictures.Squares, over.Pictures.Squares).Chance]));
        yield return new(
            $"A spot's place more exactly: {who}: off by {Number(over.Places.Error)} instead of {Number(apart.Places.Error)} pixels.",
            Told.All([Estimate.OfDifferences(apart.Places.Squares, over.Places.Squares).Chance]));
    }

    private static string Size(Overlap item) => $"{item.Window}×{item.Window}/{item.Stride}";

    private static Overlap One(Metrics metrics, string pooling, int window, int stride) =>
        metrics.Overlaps.Single(item => item.Pooling == pooling && item.Window == window && item.Stride == stride);
}
