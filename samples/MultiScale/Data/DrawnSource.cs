namespace MultiScale.Data;

/// <summary>Shapes and glyphs that the sample draws, anew in every size.</summary>
internal sealed class DrawnSource : Source
{
    private const int Unit = 44;   // objects of a scene are half to four fifths of it: 22 to 35 pixels

    private readonly int seed;

    /// <param name="trainSizes">In which the training pictures are drawn.</param>
    public DrawnSource(int trainCount, int testCount, IEnumerable<int> trainSizes, IReadOnlyList<int> testSizes, int native, int seed)
    {
        (this.seed, TestSizes) = (seed, testSizes);
        Train = new(native, trainSizes.Append(native).Distinct().Select(size => DrawnShapes.Draw(trainCount, size, seed)));
        Test = new(native, testSizes.Append(native).Distinct().Select(size => DrawnShapes.Draw(testCount, size, seed, first: trainCount)));
    }

    public override string Description =>
        $"Shapes and glyphs of {DrawnShapes.Classes.Count} classes, drawn by the sample on cluttered ground, anew in every size.";

    public override IReadOnlyList<int> TestSizes { get; }

    public override SizedPictures Train { get; }

    public override SizedPictures Test { get; }

    public override Scene Scene(int height, int width, int objects, bool training, int number)
    {
        var (image, placed) = DrawnShapes.Scene(height, width, Unit, objects, SceneSeed.Of(seed, training, number));
        return new(image, [.. placed.Select(item => new SceneObject(item.Label, new(item.Left, item.Top, item.Right, item.Bottom)))]);
    }
}
