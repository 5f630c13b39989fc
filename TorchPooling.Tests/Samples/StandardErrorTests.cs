using Experiments.Report;

namespace TorchPooling.Tests.Samples;

public class StandardErrorTests
{
    [Fact]
    public void Of_a_share_it_is_that_of_the_binomial_distribution()
    {
        Assert.Equal(0.04, StandardError.OfShare(0.8, 100), 12);
        Assert.Equal(0, StandardError.OfShare(1, 100));
    }

    [Theory]
    [InlineData("1100", "1010", 0.35355339059327)]         // one each alone: √2 / 4
    [InlineData("1110000000", "0000000000", 0.14491376746189)]   // √(3 − 9/10) / 10
    [InlineData("1110000001", "0001000001", 0.18973665961010)]   // √(3 + 1 − 4/10) / 10
    [InlineData("1010", "1010", 0)]
    [InlineData("1111", "0000", 0)]                        // every query differs alike: √(4 − 16/4)
    public void Of_a_difference_it_counts_the_queries_that_only_one_gets_right(string ours, string theirs, double expected)
    {
        Assert.Equal(expected, StandardError.OfDifference(Right(ours), Right(theirs)), 12);
        Assert.Equal(expected, StandardError.OfDifference(Right(theirs), Right(ours)), 12);
    }

    [Fact]
    public void Of_a_difference_it_is_the_standard_deviation_of_the_differences_of_queries()
    {
        var (ours, theirs) = (Right("110100111000"), Right("010111001001"));
        var differences = ours.Zip(theirs, (a, b) => (a ? 1.0 : 0) - (b ? 1 : 0)).ToArray();
        var variance = differences.Average(d => Math.Pow(d - differences.Average(), 2));
        Assert.Equal(Math.Sqrt(variance / 12), StandardError.OfDifference(ours, theirs), 12);
    }

    private static bool[] Right(string digits) => [.. digits.Select(digit => digit == '1')];
}
