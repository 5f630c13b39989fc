using Stability.Claims;
using Stability.Measures;
using static Stability.Report.Format;

namespace Stability.Report.Sections;

/// <summary>Parameters saved.</summary>
internal static class HeadsSection
{
    private const double Notably = 0.5;

    public static string Html(Metrics metrics) => Of(metrics).Html(
        HtmlPage.Table(
            ["network", "parameters", "of the linear layer", "accuracy", "accuracy, learned pictures", "difference, points", "training, s"],
            metrics.Heads.Select(item => new[]
            {
                HtmlPage.Encode(item.Name), Count(item.Parameters), Count(item.Linear), Text(item.Of(run => run.Test)), Text(item.Of(run => run.Train)), Text(item.Of(run => 100 * run.Gap), 1),
                Text(item.Of(run => run.Seconds), 1),
            })));

    public static Claim Of(Metrics metrics)
    {
        var (flat, pooled, mean) = (Kind(Heads.Flat), Kind(Heads.Pooled), Kind(Heads.Global));
        return new Claim(
            "Parameters saved",
            "It notably lowers the number of parameters. … The feature dimension of the convolution's output can be lowered, which effectively reduces the network's parameters and also can prevent overfitting.",
            ["显著降低参数量", "可以降低卷积层输出的特征维度，有效减少网络参数的同时还可以防止过拟合现象。"],
            [
                new(
                    $"Parameters are notably fewer, taken as fewer than half: {Count(pooled.Parameters)} with three max poolings, {Percent((double)pooled.Parameters / flat.Parameters)} of {Count(flat.Parameters)} without.",
                    pooled.Parameters < Notably * flat.Parameters),
                new(
                    $"Overfitting is less: right answers to learned pictures less those to the test are {Text(pooled.Of(run => 100 * run.Gap), 1)} points with max pooling, {Text(flat.Of(run => 100 * run.Gap), 1)} without.",
                    Told.All([Estimate.OfDifferences(flat.Runs.Select(run => run.Gap), pooled.Runs.Select(run => run.Gap)).Chance])),
            ],
            $"Right answers to the test: {Text(flat.Of(run => run.Test))} without pooling, {Text(pooled.Of(run => run.Test))} with it, and {Text(mean.Of(run => run.Test))} where the map is averaged before the linear layer, with {Count(mean.Parameters)} parameters.").In(metrics);

        Heads Kind(string name) => metrics.Heads.Single(item => item.Name == name);
    }
}
