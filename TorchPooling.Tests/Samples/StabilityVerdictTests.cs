using Stability.Claims;
using Stability.Measures;
using Stability.Model;
using Stability.Report;
using Stability.Report.Sections;
using Moment = TorchPooling.Tests.Samples.MadeUpMetrics.Moment;

namespace TorchPooling.Tests.Samples;

/// <summary>What the laboratory's report says of made-up measures whose verdict is known.</summary>
public class StabilityVerdictTests
{
    [Fact]
    public void A_verdict_is_that_of_its_parts()
    {
        Assert.Equal(Verdict.Agrees, Of(true, true));
        Assert.Equal(Verdict.AgreesInPart, Of(true, false));
        Assert.Equal(Verdict.AgreesInPart, Of(true, null, false));
        Assert.Equal(Verdict.Disagrees, Of(false, false));
        Assert.Equal(Verdict.CannotBeTold, Of(true, null));
        Assert.Equal(Verdict.CannotBeTold, Of(false, null));
        Assert.Equal(Verdict.CannotBeTold, Of(null, null));
        Assert.Equal([true, false, null, false], new bool?[][] { [true, true], [true, false], [true, null], [null, false] }.Select(Claim.All));

        static Verdict Of(params bool?[] parts) => new Claim("", "", [], [.. parts.Select(part => new Part("", part))]).Verdict;
    }

    [Fact]
    public void A_claim_shows_every_part_with_its_own_word()
    {
        var html = new Claim("A < B", "said", ["一", "二"], [new("first & last", true), new("second", false), new("third", null)], "beside").Html("<i>body</i>");
        string[] said =
        [
            "<h2>A &lt; B</h2>", "一 … 二", "<b>Measured: agrees in part.</b>", "<li>first &amp; last <b>(as claimed)</b></li>", "<li>second <b>(not as claimed)</b></li>",
            "<li>third <b>(cannot be told)</b></li>", ">beside</p>", "<i>body</i>",
        ];
        Assert.All(said, text => Assert.Contains(text, html, StringComparison.Ordinal));
    }

    [Fact]
    public void Numbers_are_written_with_what_is_known_of_them()
    {
        Assert.Equal("−1.50", Format.Number(-1.5, 2));
        Assert.Equal("–", Format.Number(double.NaN));
        Assert.Equal("0.250\u00a0±\u00a00.125", Format.Text(new Estimate(0.25, 0.125, 3)));
        Assert.Equal("0.250", Format.Text(Estimate.Of([0.25])));
        Assert.Equal("0.80 (p\u00a0=\u00a00.100)", Format.Text(new Correlation(0.8, 0.1, 4)));
        Assert.Equal("p\u00a0<\u00a00.001", Format.Chance(0.0009));
        Assert.Equal("a, b and c", Format.Series(["a", "b", "c"]));
    }

    /// <summary>Poolings are apart at the start and alike in the end, and all follow their filters.</summary>
    [Fact]
    public void Smoothness_alone_decides_where_poolings_become_alike()
    {
        var claim = CentralSection.Of(Networks(at => at.Trained ? 0 : 0.4 * at.Number, Followed));
        Assert.Equal([true, true, true, true, true, true, true, true], Parts(claim));
        Assert.Equal(Verdict.Agrees, claim.Verdict);

        static double Followed(Moment at) => at.Trained ? (0.3 / (1 + at.Start.Sigma)) + MadeUpMetrics.Noise(at.Seed, at.Number) : 1;
    }

    [Fact]
    public void Pooling_decides_where_poolings_stay_apart_and_rough_filters_are_stable()
    {
        var claim = CentralSection.Of(Networks(at => 0.4 * at.Number * (at.Trained ? 2 : 1), at => (at.Trained ? -0.1 * at.Number : 0) - (0.3 / (1 + at.Start.Sigma)) + MadeUpMetrics.Noise(at.Seed, at.Number)));

        // Over the poolings sensitivity is 0.8 n and the filters −0.1 n: against it. Within them and over the starts it follows the filters.
        Assert.Equal([true, false, false, false, true, true, false, false], Parts(claim));
        Assert.Equal(Verdict.AgreesInPart, claim.Verdict);
    }

    [Fact]
    public void Nothing_is_told_by_one_seed_or_a_quick_run()
    {
        var one = Networks(at => 0.4 * at.Number, at => 1 + (0.3 / (1 + at.Start.Sigma)), seeds: 1);
        Assert.All(CentralSection.Of(one).Parts, part => Assert.Null(part.Holds));
        var quick = Full(Claimed, quick: true);
        Assert.All(quick.Claims(), claim => Assert.Equal(Verdict.CannotBeTold, claim.Verdict));
        Assert.All(quick.Claims().SelectMany(claim => claim.Parts), part => Assert.Null(part.Holds));
        var single = Full(Claimed, seeds: 1);
        Assert.Equal([true, null, null, null], Parts(TranslationSection.Of(single)));
        Assert.All(new[] { RetainedSection.OfScale(single), RetainedSection.OfSlight(single), TurnedSection.Of(single), TextureSection.Of(single) }.SelectMany(claim => claim.Parts), part => Assert.Null(part.Holds));
        Assert.Equal([true, null], Parts(HeadsSection.Of(single)));
    }

    [Fact]
    public void The_effect_of_pooling_is_that_of_its_means()
    {
        var metrics = Networks(at => 0.4 * at.Number, _ => 0);
        var effect = Central.PoolingEffect(metrics, Transform.Deformation, Central.Scores, trained: true);
        Assert.Equal(Math.Exp(0.4 * (PoolingKind.All.Count - 1)), effect.Ratio, 6);
        Assert.Equal(1, effect.Explained, 9);
        Assert.Equal(1e-4, effect.Chance, 3e-4);
        Assert.Equal(0.4 * Math.Sqrt(7.5), effect.Spread[0], 9);   // of 0 to 8: variance 9·10/12
        Assert.True(effect.IsTold);
        Assert.Null((effect with { Chance = 0.051 }).IsTold);
        Assert.Null((effect with { Chance = double.NaN }).IsTold);
    }

    [Fact]
    public void Smoothness_is_correlated_by_kinds_not_by_networks()
    {
        var metrics = Networks(at => 0.4 * at.Number, at => 0.1 * at.Number);
        var effects = Central.Smoothness(metrics);
        Assert.All(effects.Where(effect => effect.Networks == Central.Poolings), effect => Assert.Equal((1.0, PoolingKind.All.Count), (Math.Round(effect.Correlation.Value, 9), effect.Correlation.Count)));
        Assert.All(effects.Where(effect => effect.Networks == Central.Starts), effect => Assert.True(effect.Correlation.Count == 8 && double.IsNaN(effect.Correlation.Value)));
        Assert.All(effects.Where(effect => effect.Networks == Central.Within), effect => Assert.Equal(27, effect.Correlation.Count));
        Assert.DoesNotContain(effects, effect => effect.Networks == Central.Poolings && !effect.Trained);
    }

    [Fact]
    public void Every_claim_agrees_where_all_is_as_claimed_and_disagrees_where_nothing_is()
    {
        var (claimed, opposite) = (Full(Claimed), Full(!Claimed));
        foreach (var of in new Func<Metrics, Claim>[] { RetainedSection.OfScale, RetainedSection.OfSlight, TurnedSection.Of, HeadsSection.Of, TextureSection.Of, OverlapSection.Of })
        {
            Assert.Equal((of(claimed).Title, Verdict.Agrees), (of(claimed).Title, of(claimed).Verdict));
            Assert.Equal((of(claimed).Title, Verdict.Disagrees), (of(claimed).Title, of(opposite).Verdict));
        }

        Assert.Equal(Verdict.Agrees, TranslationSection.Of(claimed).Verdict);
        Assert.Equal([true, false, false, false], Parts(TranslationSection.Of(opposite)));   // the example holds whatever was measured
    }

    [Fact]
    public void One_window_that_is_not_clear_leaves_it_open_and_one_against_it_decides()
    {
        var metrics = Full(Claimed);
        Assert.Null(Parts(RetainedSection.OfScale(metrics.WithRetained((pooling, window, seed) => (window == 3 ? 0.7 + MadeUpMetrics.Noise(seed, pooling == Retention.Max ? 3 : 4) : Kept(pooling, Claimed, seed), 0))))[0]);
        Assert.False(Parts(RetainedSection.OfScale(metrics.WithRetained((pooling, window, seed) => (Kept(pooling, window != 3, seed), 0))))[0]);
    }

    [Fact]
    public void Filters_that_answer_alike_have_not_learned_orientations()
    {
        var metrics = Full(Claimed).WithTurned((bank, seed) => (Filters(bank, 0.6, 0.9, seed), Filters(bank, 0.5, 0.8, seed), [.. Enumerable.Repeat(3, bank.Filters)]));
        Assert.Equal([false, true, true, false, true, true], Parts(TurnedSection.Of(metrics)));
    }

    private const bool Claimed = true;

    /// <summary>Networks whose log sensitivity is an offset of their kind, and their total variation.</summary>
    private static Metrics Networks(Func<Moment, double> offset, Func<Moment, double> variation, int seeds = 3, bool quick = false) => MadeUpMetrics.Of(seeds, quick).WithNetworks(
        (at, _, _) => Math.Exp(offset(at) + variation(at)), variation);

    private static Metrics Full(bool claimed, int seeds = 3, bool quick = false)
    {
        var sign = claimed ? 1 : -1;
        var metrics = Networks(at => at.Pooling == PoolingKind.Single ? sign : 0, at => MadeUpMetrics.Noise(at.Seed, at.Number), seeds, quick)
            .WithRetained((pooling, _, seed) => (Kept(pooling, claimed, seed), Change(pooling, claimed, seed)))
            .WithTurned((bank, seed) => claimed
                ? (Filters(bank, 0.6, 0.9, seed), Filters(bank, 0.5, 0.8, seed), [.. Enumerable.Range(0, bank.Filters).Select(i => 6 * i)])
                : (Filters(bank, 0.9, 0.6, seed), Filters(bank, 0.1, 0.2, seed), [.. Enumerable.Repeat(3, bank.Filters)]));
        return metrics with
        {
            Heads =
            [
                new(Heads.Flat, 1000, 900, Runs(claimed ? 0.3 : 0.1)), new(Heads.Pooled, claimed ? 499 : 500, 90, Runs(claimed ? 0.1 : 0.3)), new(Heads.Global, 50, 9, Runs(0.2)),
            ],
            Texture =
            [
                .. from pooling in new[] { TextureAndBackground.Max, TextureAndBackground.Mean }
                   from window in Retention.Windows
                   select new TextureAndBackground(pooling, window, [.. metrics.Options.EachSeed.Select(seed => Texture(pooling == TextureAndBackground.Max ? sign : -sign, seed))]),
            ],
            Overlaps =
            [
                .. from pooling in new[] { Overlap.Max, Overlap.Mean }
                   from size in Overlap.Windows
                   let better = size is (3, 2) == claimed
                   select new Overlap(
                       pooling, size.Window, size.Stride, better ? 1000 : 1, Numbers(better ? 2 : 1), new([.. Numbers(better ? 1 : 2)], 10), new([.. Numbers(better ? 1 : 2)], 10)),
            ],
        };

        List<Heads.Run> Runs(double gap) => [.. metrics.Options.EachSeed.Select(seed => new Heads.Run(0.5, 0.5 + gap + MadeUpMetrics.Noise(seed), 1))];

        static double[] Numbers(double mean) => [.. Enumerable.Range(0, 5).Select(i => mean + MadeUpMetrics.Noise(i))];
    }

    private static TextureAndBackground.Kept Texture(int max, int seed)
    {
        var noise = MadeUpMetrics.Noise(seed, max);
        return new(max + noise, max + noise, max + noise, noise - max, max + noise, noise - max, noise - max);
    }

    private static double Kept(string pooling, bool claimed, int seed) => (pooling == Retention.Max) == claimed ? 0.7 + MadeUpMetrics.Noise(seed, 1) : 0.3 + MadeUpMetrics.Noise(seed, 2);

    private static double Change(string pooling, bool claimed, int seed) => (pooling == Retention.Max) == claimed ? 0.03 + (0.1 * MadeUpMetrics.Noise(seed, 1)) : 0.2 + MadeUpMetrics.Noise(seed, 2);

    private static double[] Filters(FilterBank bank, double each, double maximum, int seed) =>
        [.. Enumerable.Repeat(each + MadeUpMetrics.Noise(seed, 1), bank.Filters), maximum + MadeUpMetrics.Noise(seed, 2)];

    private static bool?[] Parts(Claim claim) => [.. claim.Parts.Select(part => part.Holds)];
}
