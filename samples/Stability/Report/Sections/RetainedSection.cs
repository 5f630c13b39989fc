using Stability.Claims;
using Stability.Measures;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>What stays of pooled values: scale, and slight changes at all.</summary>
internal static class RetainedSection
{
    private const double Half = 0.5;
    private const double Unaffected = 0.05;

    public static string Scale(Metrics metrics) => OfScale(metrics).Html(
        Figure(metrics, Transform.Larger, "enlarged by a tenth") + Figure(metrics, Transform.Smaller, "made smaller by the same factor"));

    public static string Slight(Metrics metrics) => OfSlight(metrics).Html(Table(metrics) + Figure(metrics, Transform.Rotation, "turned by 10°"));

    public static Claim OfScale(Metrics metrics)
    {
        string[] changes = [Transform.Larger, Transform.Smaller];
        return new Claim(
            "Scale",
            "If a neuron gave 5 after max pooling, then after scaling (stretching or shrinking) max pooling very probably still gives 5 there, for the neuron feels the maximum of its neighbourhood and not one certain value.",
            ["如果原先神经元在最大池化操作之后输出 5，那么在经过伸缩（尺度变换）之后，最大池化操作在该神经元上很大概率的输出仍然是 5。因为神经元感受的是邻域输入的最大值，而并非某一个确定的值。"],
            [
                MoreThanSingle(metrics, changes, "In a trained network's first map, scaled by 1.1 and 1/1.1, maxima stay more often than single pixels, at every window"),
                MoreOftenThanNot(metrics, changes, "They stay “very probably”"),
            ],
            $"Of the means there stay {Series(changes.Select(change => Range(metrics, change, Retention.Mean)))}.").In(metrics);
    }

    public static Claim OfSlight(Metrics metrics)
    {
        var two = Retention.Windows[0];
        var (maxima, single) = (ChangesOf(Retention.Max), ChangesOf(Retention.Single));
        return new Claim(
            "Slight changes within the receptive field",
            "When the input features change slightly, the output (of a convolution) changes; … slight changes within the receptive field do not affect the output (of pooling).",
            ["输入特征发生细微改变时，输出结果会改变", "感受域内的细微变化不影响输出结果"],
            [
                MoreThanSingle(metrics, Retention.Transforms, "Maxima stay more often than single pixels, whatever the change and the window"),
                new(
                    $"They change less in relation to their length, at every window; of {two}×{two} the maxima by {Changes(maxima)}, single pixels by {Changes(single)}.",
                    Told.All(Retention.Transforms.SelectMany(_ => Retention.Windows, (change, window) =>
                        Estimate.OfDifferences(Of(metrics, change, Retention.Single, window).Change, Of(metrics, change, Retention.Max, window).Change).Chance))),
                new(
                    $"The change does “not affect” the {two}×{two} maxima, taken as by less than {Percent(Unaffected)} of their length: by {Changes(maxima)}.",
                    Told.All(maxima.Select(item => Estimate.Of(item.Change.Select(change => Unaffected - change)).Chance))),
            ]).In(metrics);

        List<Retention> ChangesOf(string pooling) => [.. Retention.Transforms.Select(change => Of(metrics, change, pooling, two))];

        string Changes(IEnumerable<Retention> items) => Series(items.Select(item => $"{Text(Estimate.Of(item.Change))} ({NameOf(metrics, item.Transform)})"));
    }

    /// <summary>Maxima against single pixels, at every window.</summary>
    public static Part MoreThanSingle(Metrics metrics, IReadOnlyList<string> changes, string text) => new(
        $"{text}: {Series(changes.Select(change => $"{Range(metrics, change, Retention.Max)} against {Range(metrics, change, Retention.Single, named: false)}"))}.",
        Told.All(changes.SelectMany(_ => Retention.Windows, (change, window) =>
            Estimate.OfDifferences(Of(metrics, change, Retention.Max, window).Kept, Of(metrics, change, Retention.Single, window).Kept).Chance)));

    /// <summary>Maxima, at every window.</summary>
    public static Part MoreOftenThanNot(Metrics metrics, IReadOnlyList<string> changes, string text) => new(
        $"{text}, taken as more often than not at every window: {Series(changes.Select(change => Range(metrics, change, Retention.Max)))}.",
        Told.All(changes.SelectMany(_ => Retention.Windows, (change, window) =>
            Estimate.Of(Of(metrics, change, Retention.Max, window).Kept.Select(kept => kept - Half)).Chance)));

    public static string Figure(Metrics metrics, string transform, string change)
    {
        var names = Retention.Poolings.Select(pooling => pooling.Name).ToList();
        return LineChart.Legend(names)
            + "<div class=\"charts\">" + LineChart.Svg(
                $"What stays within a tenth, pictures {change}", "window, pixels a side", "share of the values", (0, 1),
                [.. names.Select(name => new LineChart.Line(name, [.. Retention.Windows.Select(window => Point(Of(metrics, transform, name, window)))]))])
            + "</div><p class=\"note\">Of the first convolution's map of the max-pooling networks after training, pooled anew in each way and window without overlap; of the positive values whose window changes at all. Error bars: one standard error over the networks' seeds.</p>";

        static (double X, double Y, double Error) Point(Retention item)
        {
            var kept = Estimate.Of(item.Kept);
            return (item.Window, kept.Mean, kept.Error);
        }
    }

    private static string Table(Metrics metrics) => HtmlPage.Table(
        ["change", "window", .. Retention.Poolings.Select(pooling => $"{pooling.Name}: change"), .. Retention.Poolings.Select(pooling => $"{pooling.Name}: kept")],
        Retention.Transforms.SelectMany(_ => Retention.Windows, (change, window) => (string[])
        [
            HtmlPage.Encode(NameOf(metrics, change)), $"{window}×{window}",
            .. Retention.Poolings.Select(pooling => Text(Estimate.Of(Of(metrics, change, pooling.Name, window).Change))),
            .. Retention.Poolings.Select(pooling => Text(Estimate.Of(Of(metrics, change, pooling.Name, window).Kept))),
        ]))
        + "<p class=\"note\">Change: length of the difference over the length of all pooled values. Kept: share within a tenth, of the positive values whose window changes.</p>";

    private static string Range(Metrics metrics, string change, string pooling, bool named = true)
    {
        var kept = Retention.Windows.Select(window => Of(metrics, change, pooling, window).Kept.Average()).ToList();
        return $"{Percent(kept.Min())} to {Percent(kept.Max())}{(named ? $" ({NameOf(metrics, change)})" : "")}";
    }

    private static string NameOf(Metrics metrics, string key) => metrics.Transforms.FirstOrDefault(transform => transform.Key == key)?.Name ?? key;

    private static Retention Of(Metrics metrics, string transform, string pooling, int window) =>
        metrics.Retained.Single(item => item.Transform == transform && item.Pooling == pooling && item.Window == window);
}
