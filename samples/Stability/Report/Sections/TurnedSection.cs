using Stability.Claims;
using Stability.Measures;
using static Stability.Report.Format;
using static TorchSharp.torch;

namespace Stability.Report.Sections;

/// <summary>Rotation by a maximum over learned filters.</summary>
internal static class TurnedSection
{
    private const int FilterScale = 6;
    private const int GlyphScale = 4;
    private const double Different = 15;   // degrees
    private const double Found = 0.5;

    public static string Html(Metrics metrics) =>
        Of(metrics).Html(Table(metrics) + Figures(Kind(metrics, FilterBank.Figure)) + Figures(Kind(metrics, FilterBank.Anywhere)));

    public static Claim Of(Metrics metrics) => new Claim(
        "Rotation, by a maximum over learned filters",
        "The network of the figure consists of three learned filters and a max pooling layer. The three filters learn a “5” in different orientations. When a “5” comes in, however it is turned, one of the filters matches it and causes a large activation; whichever neuron was activated, the output after max pooling is large.",
        ["图中的神经网络由 3 个学得的过滤器和一个最大池化层组成。这 3 个过滤器分别学习到不同旋转方向的 “5”。当输入中出现 “5” 时，无论进行何种方向的旋转，都会有一个对应的过滤器与之匹配并在对应的神经元中引起大的激活。最终，无论哪个神经元获得了激活，在经过最大池化操作之后输出都会具有大的激活。"],
        [.. new[] { FilterBank.Figure, FilterBank.Anywhere }.SelectMany(bank => Parts(Kind(metrics, bank)))],
        $"One filter alone, trained as long, finds {Series(new[] { FilterBank.Figure, FilterBank.Anywhere }.Select(bank => Alone(metrics, bank)))}.").In(metrics);

    private static IEnumerable<Part> Parts(IReadOnlyList<TurnedGlyphs> seeds)
    {
        var (turns, filters) = (seeds[0].Bank.Turns, seeds[0].Bank.Filters);
        yield return new(
            $"5s turned {turns}: the {filters} filters learn different orientations, taken as all in use (the largest answer to {Percent(TurnedGlyphs.Used)} of the 5s or more) and {Different:0}° or more apart, in every seed. "
            + $"In use, seed by seed: {string.Join(", ", seeds.Select(seed => seed.InUse))}; apart: {string.Join(", ", seeds.Select(seed => double.IsNaN(seed.Apart) ? "–" : $"{Number(seed.Apart, 0)}°"))}.",
            seeds.Count < 2 ? null : seeds.All(seed => seed.InUse == filters && seed.Apart >= Different));
        yield return new(
            $"5s turned {turns}: with one false alarm in twenty the maximum finds more than the best of its filters alone: {Over(seeds, seed => seed.Found[^1])} against {Over(seeds, seed => Best(seed.Found))}.",
            Told.All([Estimate.Of(seeds.Select(seed => seed.Found[^1] - Best(seed.Found))).Chance]));
        yield return new(
            $"5s turned {turns}: the maximum is large at every angle, taken as finding half of the 5s at the worst: {Over(seeds, seed => seed.Worst[^1])} (the best filter alone {Over(seeds, seed => Best(seed.Worst))}).",
            Told.All([Estimate.Of(seeds.Select(seed => seed.Worst[^1] - Found)).Chance]));
    }

    private static string Alone(Metrics metrics, FilterBank bank)
    {
        var seeds = Kind(metrics, FilterBank.All.First(other => other.Range == bank.Range && other.Filters == 1 && !other.Tied));
        return $"{Over(seeds, seed => seed.Found[^1])} of the 5s turned {bank.Turns}, {Over(seeds, seed => seed.Worst[^1])} at the worst angle";
    }

    private static string Table(Metrics metrics) => "<div style=\"font-size:13px\">" + HtmlPage.Table(
        ["5s turned", "network", "parameters", "accuracy", "found by the best alone", "by the maximum", "worst angle: best alone", "worst angle: maximum", "in use"],
        FilterBank.All.Select(bank => (Bank: bank, Seeds: Kind(metrics, bank))).Select(item => (string[])
        [
            item.Bank.Turns, Left(item.Bank.Name), Count(item.Seeds[0].Parameters), Over(item.Seeds, one => one.Accuracy),
            Over(item.Seeds, one => Best(one.Found)), Over(item.Seeds, one => one.Found[^1]), Over(item.Seeds, one => Best(one.Worst)), Over(item.Seeds, one => one.Worst[^1]),
            string.Join(", ", item.Seeds.Select(one => one.InUse)),
        ]))
        + "</div><p class=\"note\">A 5 against its mirror image and five other glyphs, all turned as much and moved by up to a pixel; one unit, whose filters slide over the picture, and the largest answer. Found: with a threshold that one in twenty of the other glyphs passes. "
        + "RotationMaxConv2d turns a filter by quarters itself: “alone” then is the maximum over its four turns. In use: seed by seed. ± is one standard error over seeds.</p>";

    /// <summary>The filters of all seeds; the answers of the one in the middle.</summary>
    private static string Figures(IReadOnlyList<TurnedGlyphs> seeds)
    {
        using var scope = NewDisposeScope();
        var bank = seeds[0].Bank;
        var shown = Enumerable.Range(0, 7).Select(i => bank.Range * ((i / 3.0) - 1)).ToList();
        var glyphs = Glyphs.Turned(shown, 1, seed: 1);
        return $"<h3>5s turned {bank.Turns}</h3><p class=\"note\">What comes in, and the filters of every seed: white positive, black negative; under each the share of the 5s to which its answer is the largest, and the angle that it answers most to.</p><div class=\"row wrapped\">"
            + string.Concat(shown.Select((angle, i) => Picture(glyphs[i], GlyphScale, $"{Number(angle, 0)}°")))
            + "</div>" + string.Concat(seeds.Select(Filters)) + Answers(seeds.OrderBy(seed => seed.Found[^1]).ElementAt(seeds.Count / 2));
    }

    private static string Filters(TurnedGlyphs item) => "<div class=\"row wrapped\">" + string.Concat(Enumerable.Range(0, item.Bank.Filters).Select(i =>
    {
        using var scope = NewDisposeScope();
        return Picture(Signed(item.Weights[i]), FilterScale, $"seed {item.Seed}: {Percent(item.Wins[i])}, {Number(item.Preferred[i], 0)}°");
    })) + "</div>";

    private static string Answers(TurnedGlyphs item)
    {
        string[] names = [.. Enumerable.Range(1, item.Bank.Filters).Select(i => $"filter {i}"), "maximum"];
        return LineChart.Legend(names) + "<div class=\"charts\">"
            + LineChart.Svg(
                $"Answers to a 5 at every angle, seed {item.Seed}", "degrees, counter-clockwise", "in deviations of those to other glyphs", LineChart.Free,
                [.. names.Select((name, i) => new LineChart.Line(name, [.. item.Bank.Angles.Zip(item.Tuning[i], (angle, answer) => (angle, answer, 0.0))]))])
            + "</div><p class=\"note\">Of the seed whose maximum finds the median share of the 5s.</p>";
    }

    private static double Best(double[] ofEachAndMaximum) => ofEachAndMaximum[..^1].Max();

    private static string Over(IEnumerable<TurnedGlyphs> seeds, Func<TurnedGlyphs, double> value) => Text(Estimate.Of(seeds.Select(value)), 3);

    /// <summary>Grey at 0.</summary>
    public static Tensor Signed(Tensor weights)
    {
        using var scope = NewDisposeScope();
        return (0.5 + (weights / (2 * weights.abs().max()))).MoveToOuterDisposeScope();
    }

    public static string Picture(Tensor image, int scale, string caption)
    {
        using var bitmap = Pixels.Grey(image, scale);
        return HtmlPage.Figure(Pixels.Html(bitmap, caption), HtmlPage.Encode(caption));
    }

    private static List<TurnedGlyphs> Kind(Metrics metrics, FilterBank bank) => [.. metrics.Turned.Where(item => item.Bank == bank)];
}
