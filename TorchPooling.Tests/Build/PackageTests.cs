using System.IO.Compression;

namespace TorchPooling.Tests.Build;

public class PackageTests
{
    [Fact]
    public void The_package_brings_the_fix_to_direct_and_indirect_users()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, output) = Dotnet.Run(
            "msbuild", "-nologo", "TorchPooling/TorchPooling.csproj", "-t:Pack", "-p:NoBuild=true",
            $"-p:Configuration={Dotnet.Configuration}", $"-p:PackageOutputPath={folder.Path}");
        Assert.True(exitCode == 0, output);

        using var package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(folder.Path, "*.nupkg")));
        foreach (var name in new[] { "buildTransitive/TorchPooling.targets", "buildTransitive/WeakenGlibcxxVersion.cs" })
        {
            var entry = package.GetEntry(name);
            Assert.True(entry != null, $"no {name} among {string.Join(", ", package.Entries)}");
            using var text = new StreamReader(entry.Open());
            Assert.Equal(File.ReadAllText(Path.Combine(Dotnet.Repository, "TorchPooling", name)), text.ReadToEnd());
        }
    }
}
