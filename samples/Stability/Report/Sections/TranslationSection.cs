using Stability.Claims;
using Stability.Measures;
using Stability.Model;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>Translation by a pixel.</summary>
internal static class TranslationSection
{
    public static string Html(Metrics metrics)
    {
        var (rows, shares) = (TranslationExample.Rows(), TranslationExample.Shares());
        return Of(metrics).Html(
            HtmlPage.Table(
                ["input", "", $"maximum of {TranslationExample.Window}", $"mean of {TranslationExample.Window}"],
                rows.Select(row => new[] { $"({string.Join(", ", row.Input.Select(value => $"{value:0}"))})", Left(row.What), List(row.Max, 0), List(row.Mean, 2) }))
            + "<p class=\"note\">By MaxPool1d(3) and AvgPool1d(3).</p>"
            + HtmlPage.Table(
                ["window k", "same maximum after a step, measured", "(k − 1)/(k + 1)"],
                shares.Select(share => new[] { $"{share.Window}", Number(share.Measured, 4), Number(share.Expected, 4) }))
            + RetainedSection.Figure(metrics, Transform.Translation, "moved by a pixel down and to the right"));
    }

    public static Claim Of(Metrics metrics)
    {
        var rows = TranslationExample.Rows();
        var (max, single) = (Sensitivities(metrics, PoolingKind.Max), Sensitivities(metrics, PoolingKind.Single));
        return new Claim(
            "Translation",
            "Translation invariance means that the output stays basically the same under a small translation of the input. For example, if the input is (1, 5, 3), max pooling takes 5; if the input is moved one place to the right, giving (0, 1, 5), the output is still 5.",
            ["平移不变性是指输出结果对输入的小量平移基本保持不变。例如，输入为（1，5，3），最大池化将会取 5，如果将输入右移一位得到（0，1，5），输出的结果仍将为 5。"],
            [
                new($"The example: the maximum of (1, 5, 3) is {rows[0].Max[0]:0}, that of (0, 1, 5) is {rows[1].Max[0]:0}.", rows[0].Max[0] == rows[1].Max[0]),
                RetainedSection.MoreThanSingle(metrics, [Transform.Translation], "In a trained network's first map, moved by a pixel, maxima stay more often than single pixels, at every window"),
                RetainedSection.MoreOftenThanNot(metrics, [Transform.Translation], "They stay “basically the same”"),
                new(
                    $"A trained network with max pooling is moved less by a pixel than one that takes every other pixel: sensitivity of the scores {Text(Estimate.Of(max))} against {Text(Estimate.Of(single))}.",
                    Told.All([Estimate.OfDifferences(single, max).Chance])),
            ],
            $"At a window's border it ends: in the example a second step leaves {rows[2].Max[0]:0}, and in the row {string.Join(", ", rows[3].Input)} the first step gives the second window {rows[4].Max[1]:0} instead of {rows[3].Max[1]:0}. "
            + $"Of random numbers a window of k keeps its maximum with probability (k − 1)/(k + 1): {Series(TranslationExample.Shares().Select(share => $"{Percent(share.Measured)} for {share.Window}"))}. "
            + $"The mean of the example's window goes from {Number(rows[0].Mean[0], 1)} to {Number(rows[1].Mean[0], 1)}. "
            + $"Sensitivity of the trained scores to a pixel's translation under every pooling: {Series(PoolingKind.All.Select(pooling => $"{pooling.Name} {Text(Estimate.Of(Sensitivities(metrics, pooling)))}"))}.").In(metrics);
    }

    private static List<double> Sensitivities(Metrics metrics, PoolingKind pooling) =>
        [.. metrics.Of(pooling, Start.White).Select(network => network.After.Sensitivity[Transform.Translation][Central.Scores])];

    private static string List(float[] values, int digits) => string.Join(", ", values.Select(value => Number(value, digits)));
}
