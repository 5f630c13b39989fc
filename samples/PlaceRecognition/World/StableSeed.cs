namespace PlaceRecognition.World;

/// <summary>
/// A hash of integers that is the same in every process, unlike <see cref="HashCode"/>: the SplitMix64 finaliser,
/// chained over the parts.
/// </summary>
internal static class StableSeed
{
    /// <summary>A seed in [0, 2³¹).</summary>
    internal static int Of(params ReadOnlySpan<int> parts)
    {
        var state = 0x9E3779B97F4A7C15UL;
        foreach (var part in parts)
        {
            state = Mix(state + 0x9E3779B97F4A7C15UL + (uint)part);
        }

        return (int)(state >> 33);
    }

    /// <summary>A number in [0, 1).</summary>
    internal static float Unit(params ReadOnlySpan<int> parts) => (Of(parts) >> 7) / (float)(1 << 24);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
