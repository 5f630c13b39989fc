using Stability.Measures;

namespace TorchPooling.Tests.Samples;

/// <summary>The statistics that the laboratory's verdicts rest on, against textbook values.</summary>
public class StabilityStatisticsTests
{
    [Fact]
    public void An_estimate_has_no_error_from_one_value()
    {
        var three = Estimate.Of([1, 2, 3]);
        Assert.Equal((2.0, 3), (three.Mean, three.Count));
        Assert.Equal(1 / Math.Sqrt(3), three.Error, 12);
        var one = Estimate.Of([5]);
        Assert.Equal((5, 1), (one.Mean, one.Count));
        Assert.True(double.IsNaN(one.Error) && double.IsNaN(one.Chance));
        Assert.True(double.IsNaN(Estimate.Of([]).Mean) && double.IsNaN(Estimate.Of([]).Chance));
        Assert.Equal(Estimate.Of([3, 1]), Estimate.OfDifferences([5, 4], [2, 3]));
    }

    /// <summary>95 % points of the table.</summary>
    [Theory]
    [InlineData(6.313752, 1)]
    [InlineData(2.919986, 2)]
    [InlineData(2.353363, 3)]
    [InlineData(2.131847, 4)]
    [InlineData(1.812461, 10)]
    [InlineData(1.697261, 30)]
    [InlineData(1.646, 1000)]
    public void Student_exceeds_his_quantile_once_in_twenty(double t, int freedom)
    {
        Assert.Equal(0.05, Student.Beyond(t, freedom), freedom < 1000 ? 1e-6 : 1e-4);
        Assert.Equal(0.95, Student.Beyond(-t, freedom), freedom < 1000 ? 1e-6 : 1e-4);
        Assert.Equal(0.5, Student.Beyond(0, freedom), 12);
        Assert.True(double.IsNaN(Student.Beyond(t, 0)));
    }

    [Fact]
    public void The_chance_of_an_estimate_is_that_of_its_t()
    {
        Assert.Equal(Student.Beyond(2 * Math.Sqrt(3), 2), Estimate.Of([1, 2, 3]).Chance, 12);
        Assert.Equal([0, 1, 1], new double[] { 1, -1, 0 }.Select(value => Estimate.Of([value, value]).Chance));
    }

    [Fact]
    public void All_are_told_or_one_is_told_against_them()
    {
        Assert.True(Told.All([0.05, 0.01]));
        Assert.Null(Told.All([0.05, 0.06]));
        Assert.False(Told.All([0.96]));
        Assert.Null(Told.All([0.96, 0.5]));       // one of two needs 0.975
        Assert.False(Told.All([0.976, 0.01]));
        Assert.Null(Told.All([0.01, double.NaN]));
        Assert.Null(Told.All([]));
    }

    [Fact]
    public void A_correlation_of_four_pairs_has_two_degrees_of_freedom()
    {
        // r of (1,1), (2,3), (3,2), (4,4) is 4/5; of two degrees of freedom r is uniform, of one t is Cauchy's.
        (double, double)[] pairs = [(1, 1), (2, 3), (3, 2), (4, 4)];
        var correlation = Correlation.Of(pairs);
        Assert.Equal((0.8, 4), (Math.Round(correlation.Value, 12), correlation.Count));
        Assert.Equal(0.1, correlation.Chance, 12);
        Assert.Equal(0.5 - (Math.Atan(4.0 / 3) / Math.PI), Correlation.Of(pairs, removed: 1).Chance, 12);
        Assert.Equal(0.9, Correlation.Of([.. pairs.Select(pair => (pair.Item1, -pair.Item2))]).Chance, 12);
        Assert.Equal(0, Correlation.Of([(1, 2), (2, 4), (3, 6)]).Chance, 6);
    }

    [Fact]
    public void What_is_constant_or_too_few_correlates_with_nothing()
    {
        (double, double)[][] none = [[(1, 1), (2, 2)], [(0.1 + 0.2, 1), (0.3, 2), (0.3, 3)], [(1, 1), (2, double.NaN), (3, 3)], []];
        Assert.All(none, pairs => Assert.True(double.IsNaN(Correlation.Of(pairs).Value) && double.IsNaN(Correlation.Of(pairs).Chance)));
        Assert.True(double.IsNaN(Correlation.Of([(1, 1), (2, 3), (3, 2), (4, 4)], removed: 2).Value));
    }

    [Fact]
    public void Groups_explain_what_lies_between_their_means()
    {
        // Means 1 and 4 about 2.5: 4·1.5² of 4·1.5² + 4·1.
        Member[] members = [new("a", 1, 0), new("a", 2, 2), new("b", 1, 3), new("b", 2, 5)];
        Assert.Equal(9 / 13.0, Groups.Explained(members), 12);
        Assert.Equal(0.5, Groups.Chance(members), 0.03);   // both seeds in the same order, or not
        Member[] oneSeed = [members[0], members[2]];
        Assert.True(double.IsNaN(Groups.Explained(oneSeed)) && double.IsNaN(Groups.Chance(oneSeed)));
    }

    [Fact]
    public void Chance_puts_three_groups_of_three_seeds_in_one_order_once_in_thirty_six_times()
    {
        double[] means = [1, 2, 4];
        Member[] members = [.. from seed in new[] { 1, 2, 3 } from i in new[] { 0, 1, 2 } select new Member($"{i}", seed, means[i] + (10 * seed))];   // seeds differ more, and do not count
        Assert.Equal(1 / 36.0, Groups.Chance(members), 0.007);
        Member[] mixed = [.. members.Select((member, i) => member with { Value = member.Seed == 2 ? -member.Value : member.Value })];
        Assert.InRange(Groups.Chance(mixed), 0.2, 1);
    }

    [Fact]
    public void Centred_pairs_have_lost_their_group_and_their_seed()
    {
        (Member, Member)[] pairs = [Pair("a", 1, 1, 5), Pair("a", 2, 3, 6), Pair("b", 1, 9, 7), Pair("b", 2, 9, 8)];
        Assert.Equal([(-0.5, 0.0), (0.5, 0.0), (0.5, 0.0), (-0.5, 0.0)], Groups.Centred(pairs));

        static (Member, Member) Pair(string group, int seed, double x, double y) => (new(group, seed, x), new(group, seed, y));
    }
}
