using Stability.Claims;
using Stability.Measures;
using static Stability.Claims.TextureAndBackground;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>Max keeps texture, mean keeps background.</summary>
internal static class TextureSection
{
    public static string Html(Metrics metrics) => Of(metrics).Html(
        $"<p class=\"note\">Made-up maps, others for each seed: a smooth background of deviation {BackgroundDeviation}, points of height {PointHeight} (the texture: bright or dark on {Percent(Sparse)} of the pixels, dense on {Percent(Dense)}), "
        + $"white noise of deviation {NoiseDeviation}. Signal to noise: ρ²/(1 − ρ²), ρ the correlation over all windows of the pooled value with what is sought: whether the window holds a point (of a dense texture: how many), and the background's mean in it, under sparse bright points. "
        + $"The shift is measured on the first map of the trained max-pooling networks, with noise added to its filters ({Draws} draws for each network, averaged): the change of each channel's mean over pictures and windows, in deviations of the channel before pooling, and in those of its pooled values, which averaging makes smaller. "
        + "This reading of the notes' two errors is the sample's own. ± is one standard error over the seeds' maps and networks.</p>"
        + LineChart.Legend(Lines(metrics).Select(line => line.Name)) + "<div class=\"charts\">"
        + LineChart.Svg("Signal to noise of what is kept", "window, pixels a side", "decibels", LineChart.Free, [.. Lines(metrics)]) + "</div>"
        + HtmlPage.Table(
            ["pooling", "window", "bright points, dB", "dark points, dB", "dense texture, dB", "background, dB", "scatter of noise", "shift of the mean", "in its own deviations"],
            metrics.Texture.Select(item => new[]
            {
                item.Pooling, $"{item.Window}×{item.Window}", Text(item.Of(kept => kept.Bright), 1), Text(item.Of(kept => kept.Dark), 1), Text(item.Of(kept => kept.Dense), 1),
                Text(item.Of(kept => kept.Background), 1), Text(item.Of(kept => kept.Scatter)), Text(item.Of(kept => kept.Shift)), Text(item.Of(kept => kept.OwnShift)),
            })));

    public static Claim Of(Metrics metrics) => new Claim(
        "Max keeps texture, mean keeps background",
        "Mean pooling … can suppress the growth of the estimate's variance that a limited neighbourhood causes, and keeps the background better. … Max pooling … can suppress the shift of the estimated mean that errors of the network's parameters cause, and extracts texture better.",
        [
            "均值池化（mean pooling）", "能够抑制由于邻域大小受限造成估计值方差增大的现象", "特点是对背景的保留效果更好。",
            "最大池化（max pooling）", "能够抑制网络参数误差造成估计均值偏移的现象", "特点是更好地提取纹理信息。",
        ],
        [
            Larger(metrics, "Max tells a texture of sparse bright points better", "dB", Max, kept => kept.Bright, 1),
            Larger(metrics, "Max tells a texture of sparse dark points better", "dB", Max, kept => kept.Dark, 1),
            Larger(metrics, "Max tells the amount of a dense bright texture better", "dB", Max, kept => kept.Dense, 1),
            Larger(metrics, "Mean keeps the background better", "dB", Mean, kept => kept.Background, 1),
            Smaller(metrics, "Mean suppresses the variance of a small neighbourhood", "of white noise's deviation", Mean, kept => kept.Scatter),
            Smaller(metrics, $"Max suppresses the shift of the mean by an error of {Percent(FilterError)} of the filters", "deviations of the map", Max, kept => kept.Shift),
            Smaller(metrics, "The same, in other units", "deviations of what is pooled", Max, kept => kept.OwnShift),
        ]).In(metrics);

    private static Part Larger(Metrics metrics, string text, string unit, string claimed, Func<Kept, double> value, int digits) => Compared(metrics, text, unit, claimed, value, digits, sign: 1);

    private static Part Smaller(Metrics metrics, string text, string unit, string claimed, Func<Kept, double> value) => Compared(metrics, text, unit, claimed, value, 3, sign: -1);

    /// <summary>One pooling against the other, at every window.</summary>
    private static Part Compared(Metrics metrics, string text, string unit, string claimed, Func<Kept, double> value, int digits, int sign)
    {
        var other = claimed == Max ? Mean : Max;
        return new(
            $"{text}: {Range(claimed)} {unit} under {claimed}, {Range(other)} under {other}, at every window.",
            Told.All(Retention.Windows.Select(window => Estimate.OfDifferences(
                One(metrics, claimed, window).Seeds.Select(kept => sign * value(kept)), One(metrics, other, window).Seeds.Select(kept => sign * value(kept))).Chance)));

        string Range(string pooling)
        {
            var all = Retention.Windows.Select(window => One(metrics, pooling, window).Of(value).Mean).ToList();
            return $"{Number(all.Min(), digits)} to {Number(all.Max(), digits)}";
        }
    }

    private static IEnumerable<LineChart.Line> Lines(Metrics metrics) =>
        from line in new (string Pooling, string What, Func<Kept, double> Value)[]
        {
            (Max, "bright points", kept => kept.Bright), (Mean, "bright points", kept => kept.Bright), (Max, "background", kept => kept.Background), (Mean, "background", kept => kept.Background),
        }
        select new LineChart.Line($"{line.What}, {line.Pooling}", [.. Retention.Windows.Select(window => Point(One(metrics, line.Pooling, window).Of(line.Value), window))]);

    private static (double X, double Y, double Error) Point(Estimate estimate, int window) => (window, estimate.Mean, estimate.Error);

    private static TextureAndBackground One(Metrics metrics, string pooling, int window) => metrics.Texture.Single(item => item.Pooling == pooling && item.Window == window);
}
