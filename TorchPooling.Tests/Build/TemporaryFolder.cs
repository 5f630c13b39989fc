namespace TorchPooling.Tests.Build;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("TorchPooling").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
