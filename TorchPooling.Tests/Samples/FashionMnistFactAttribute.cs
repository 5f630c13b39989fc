namespace TorchPooling.Tests.Samples;

/// <summary>A test that reads the files of Debian's package dataset-fashion-mnist; it says that it was skipped where they are not.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FashionMnistFactAttribute : FactAttribute
{
    public const string Folder = "/usr/share/datasets/fashion-mnist";

    public FashionMnistFactAttribute()
    {
        if (!Directory.Exists(Folder))
        {
            Skip = $"no {Folder}: apt-get install dataset-fashion-mnist";
        }
    }
}
