namespace MultiScale.Search;

/// <summary>How long the search is learned, and on what it is tested.</summary>
/// <param name="Steps">Of training.</param>
/// <param name="Scenes">Of the test.</param>
/// <param name="Height">Pixels of a scene of the test.</param>
/// <param name="Width">Pixels of a scene of the test.</param>
/// <param name="Objects">Of a scene of the test, fewer where no more find room.</param>
internal sealed record SearchBudget(int Steps, int Scenes, int Height = 192, int Width = 320, int Objects = 14)
{
    /// <summary>Sides of the boxes that slide over a scene, in pixels.</summary>
    public static IReadOnlyList<int> BoxSizes { get; } = [20, 24, 28, 32, 36];

    public int TrainSide => 112;

    public int TrainObjects => 4;

    public int ScenesPerStep => 4;

    public int BoxesPerScene => 256;

    public int StepsPerLine => Math.Min(100, Steps);
}
