using static TorchPooling.Tests.Learning.LossTesting;

namespace TorchPooling.Tests.Learning;

public class NeighborsTests
{
    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(1000, 30)]
    [InlineData(0, 1000)]
    [InlineData(0, 0)]
    public void Those_within_the_radius_are_those_of_a_loop_over_all(double east, double north)
    {
        var random = new Random(5);
        var (queries, database) = (Positions(200), Positions(500));
        database[7] = database[8] = queries[3];
        var found = Neighbors.Within(queries, database, 25);
        Assert.Equal(200, found.Length);
        for (var q = 0; q < queries.Length; q++)
        {
            Assert.Equal(Enumerable.Range(0, 500).Where(d => Hypotenuse(queries[q], database[d]) <= 25), found[q]);
        }

        Assert.Contains(found, list => list.Length > 1);

        (double East, double North)[] Positions(int count) =>   // UTM coordinates of some city
            [.. Enumerable.Range(0, count).Select(_ => (585000 + random.NextDouble() * east, 4477000 + random.NextDouble() * north))];

        static double Hypotenuse((double East, double North) a, (double East, double North) b) =>
            Math.Sqrt(Math.Pow(a.East - b.East, 2) + Math.Pow(a.North - b.North, 2));
    }

    [Fact]
    public void The_radius_itself_is_within_and_the_next_number_is_not()
    {
        Assert.Equal([[0, 1, 3]], Neighbors.Within([(0, 0)], [(3, 4), (-5, 0), (0, Math.BitIncrement(5)), (0, -5)], 5));
        Assert.Equal([[], []], Neighbors.Within([(0, 0), (1, 1)], [], 5));
        Assert.Empty(Neighbors.Within([], [(0, 0)], 5));
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => Neighbors.Within([], [], -1));
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => Neighbors.Within([], [], double.PositiveInfinity));
        Refused<ArgumentException>("expected finite positions, got (NaN, 0) at 1 (Parameter 'database')", () => Neighbors.Within([], [(0, 0), (double.NaN, 0)], 5));
        Refused<ArgumentNullException>("queries", () => Neighbors.Within(null!, [], 5));
    }
}
