using Benchmarks;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>What the benchmark makes of what it measured.</summary>
public class BenchmarksTests
{
    private static readonly Setting Map = new(1, 2, 3, 4);

    [Fact]
    public void A_median_is_in_the_middle()
    {
        Assert.Equal(3, new Times("", [9, 1, 3]).Median);
        Assert.Equal(2.5, new Times("", [9, 1, 3, 2]).Median);
    }

    [Fact]
    public void An_exponent_is_that_of_a_power_and_the_slope_of_what_is_none()
    {
        double[] sizes = [1, 2, 4];
        Assert.Equal(1.5, Grown.Exponent(sizes, [.. sizes.Select(x => 7 * Math.Pow(x, 1.5))]), 12);
        Assert.Equal(1.5, Grown.Exponent(sizes, [1, 1, 8]), 12);   // log2: 0, 0, 3 over 0, 1, 2
    }

    [Fact]
    public void A_goal_counts_its_cases_and_tells_the_farthest()
    {
        var goal = Goal.Faster("Pool", "loop", 2, at => !at.Backward, "a loop / Pool");
        var results = Results(
            Timed("Pool 2×2", Map, (10, "ours"), (30, "loop")),
            Timed("Pool 3×3", Map, (10, "ours"), (15, "loop"), (6, "floor")),
            Timed("Pool 4×4", Map, (10, "ours"), (20, "loop")),
            Timed("Pool 5×5", Map, (10, "ours"), (1, "another")),
            Timed("Pool 2×2", Map with { Backward = true }, (10, "ours"), (1, "loop")),
            Timed("Other", Map, (10, "ours"), (1, "loop")));
        var verdict = goal.Judge(results)!;
        Assert.Equal((2, 3, 2), (verdict.Met, verdict.Cases, verdict.Median));
        Assert.False(verdict.IsMet);
        Assert.Equal(("Pool 3×3, 1×2×3×4", 1.5), (verdict.Worst.Case, verdict.Worst.Value));
        Assert.Equal(("floor", 2.5), verdict.Worst.Floor);
        Assert.Null(goal.Judge(Results(Timed("Other", Map, (10, "ours"), (1, "loop")))));
    }

    [Fact]
    public void A_goal_of_a_floor_is_met_below_its_limit()
    {
        var results = Results(Timed("Pool", Map, (11, "ours"), (10, "floor")), Timed("Pool", Map, (13, "ours"), (10, "floor")));
        var verdict = Goal.Near("Pool", "floor", 1.15, _ => true, "Pool / its floor").Judge(results)!;
        Assert.Equal((1, 2), (verdict.Met, verdict.Cases));
        Assert.Equal(1.3, verdict.Worst.Value, 12);
    }

    [Fact]
    public void What_computes_something_else_is_not_timed()
    {
        static Benchmarks.Case Beside(Func<Tensor, Tensor> other) => new("Sum", Map with { Backward = true }, at => new(
            [at.Map()], new(Contestant.Ours, t => t[0].sum()), new("other", t => other(t[0]))));
        var harness = new Harness(rounds: 1, get_num_threads());
        Assert.Equal(2, Assert.Single(harness.Run([Beside(x => x.mean() * 24)])).Times.Count);
        Assert.Contains("outputs differ", Error(x => x.sum() * 1.001));
        Assert.Contains("outputs differ", Error(x => x.sum() * double.NaN));
        Assert.Contains("gradients differ", Error(x => x.sum().detach() + (2 * (x.sum() - x.sum().detach()))));
        Assert.Contains("of 1 numbers, other has 24", Error(x => x * 1));

        string Error(Func<Tensor, Tensor> other)
        {
            harness.Failures.Clear();
            Assert.Single(harness.Run([Beside(other), Beside(x => x.sum())]));   // the next is
            return Assert.Single(harness.Failures);
        }
    }

    private static Results Results(params Measured[] times) => new(times, [], [], []);

    private static Measured Timed(string name, Setting setting, params (double Milliseconds, string Name)[] times) => new(
        new(name, setting, _ => new([])), [.. times.Select(one => new Times(one.Name, [one.Milliseconds]) { IsFloor = one.Name == "floor" })], null);
}
