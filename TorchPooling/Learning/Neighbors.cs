namespace TorchPooling;

/// <summary>Finds what lies near: which pictures of a database may show the place of a query.</summary>
public static class Neighbors
{
    /// <summary>For each query the numbers of all database positions within a radius, ascending.</summary>
    /// <remarks>Within: √(Δeast² + Δnorth²) ≤ <paramref name="radius"/>. The database is sorted along the axis of its larger
    /// extent, and a query is compared with a strip of it only.</remarks>
    /// <param name="queries">Positions, in metres (UTM) or any unit of length.</param>
    /// <param name="database">Positions, in the same unit.</param>
    /// <param name="radius">In the same unit; 0 or more.</param>
    /// <exception cref="ArgumentException">A position is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="radius"/> is negative or not finite.</exception>
    public static int[][] Within(
        IReadOnlyList<(double East, double North)> queries, IReadOnlyList<(double East, double North)> database, double radius)
    {
        CheckPositions(queries, nameof(queries));
        CheckPositions(database, nameof(database));
        Check.NotNegative(radius, nameof(radius));
        var byNorth = Extent(database.Select(p => p.North)) > Extent(database.Select(p => p.East));
        double Along((double East, double North) p) => byNorth ? p.North : p.East;
        var order = Enumerable.Range(0, database.Count).OrderBy(i => Along(database[i])).ToArray();
        var sorted = Array.ConvertAll(order, i => database[i]);
        var along = Array.ConvertAll(sorted, Along);
        return [.. queries.AsParallel().AsOrdered().Select(Near)];

        int[] Near((double East, double North) query)
        {
            var found = new List<int>();
            var at = Along(query);
            for (var i = First(along, at, radius); i < along.Length && along[i] - at <= radius; i++)
            {
                if (Distance(query, sorted[i]) <= radius)
                {
                    found.Add(order[i]);
                }
            }

            found.Sort();
            return [.. found];
        }
    }

    /// <summary>The first of ascending values that is no more than <paramref name="radius"/> below <paramref name="at"/>.</summary>
    private static int First(double[] ascending, double at, double radius)
    {
        var (low, high) = (0, ascending.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = at - ascending[middle] > radius ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    internal static double Distance((double East, double North) a, (double East, double North) b)
    {
        var (east, north) = (a.East - b.East, a.North - b.North);
        return Math.Sqrt(east * east + north * north);
    }

    private static double Extent(IEnumerable<double> values) => values.Any() ? values.Max() - values.Min() : 0;

    internal static void CheckPositions(IReadOnlyList<(double East, double North)> positions, string name)
    {
        ArgumentNullException.ThrowIfNull(positions, name);
        for (var i = 0; i < positions.Count; i++)
        {
            if (!double.IsFinite(positions[i].East) || !double.IsFinite(positions[i].North))
            {
                throw new ArgumentException($"expected finite positions, got {positions[i]} at {i}", name);
            }
        }
    }
}
