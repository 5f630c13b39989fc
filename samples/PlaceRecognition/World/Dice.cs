namespace PlaceRecognition.World;

/// <summary>Seeded draws in the few forms that the world needs.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random random = new(seed);

    internal float Range(float low, float high) => low + (float)random.NextDouble() * (high - low);

    internal bool Chance(double probability) => random.NextDouble() < probability;

    internal int Below(int count) => random.Next(count);

    internal int Seed() => random.Next();

    internal T Pick<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];

    /// <summary>Distinct members in random order.</summary>
    internal T[] Some<T>(IReadOnlyList<T> from, int count)
    {
        var all = from.ToArray();
        random.Shuffle(all);
        return all[..count];
    }

    /// <summary>An index drawn in proportion to its weight.</summary>
    internal int Weighted(params ReadOnlySpan<float> weights)
    {
        var total = 0f;
        foreach (var weight in weights)
        {
            total += weight;
        }

        var left = Range(0, total);
        for (var i = 0; i < weights.Length - 1; i++)
        {
            left -= weights[i];
            if (left < 0)
            {
                return i;
            }
        }

        return weights.Length - 1;
    }
}
