namespace MultiScale.Data;

internal static class SceneSeed
{
    private const int Scenes = 1 << 20;   // of a run, at most

    /// <summary>Another one for every scene of a run, whether to learn from or to test.</summary>
    public static int Of(int seed, bool training, int number) => unchecked((seed * 2 + (training ? 0 : 1)) * Scenes + number);
}
