namespace MultiScale.Data;

/// <summary>Where the pictures come from: to learn from, to test, and to build scenes of.</summary>
internal abstract class Source : IDisposable
{
    /// <summary>What the report says of the pictures.</summary>
    public abstract string Description { get; }

    /// <summary>Sizes in pixels at which every network is tested.</summary>
    public abstract IReadOnlyList<int> TestSizes { get; }

    public abstract SizedPictures Train { get; }

    public abstract SizedPictures Test { get; }

    /// <summary>One scene of many: objects of several sizes on cluttered ground.</summary>
    /// <param name="training">Whether of the pictures to learn from.</param>
    /// <param name="number">Of the scene, from 0; the same number is the same scene.</param>
    public abstract Scene Scene(int height, int width, int objects, bool training, int number);

    public void Dispose()
    {
        Train.Dispose();
        Test.Dispose();
    }
}
