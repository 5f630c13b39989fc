using System.IO.Compression;

namespace TorchPooling.Tests.Build;

/// <summary>A real app takes a stand-in for libLibTorchSharp.so from a package, by hard link where it can.</summary>
public class WeakGlibcxxPublishTests
{
    private const string Library = "libLibTorchSharp.so";

    [LinuxFact]
    public void An_app_gets_the_fix_in_its_output_its_publish_folder_and_its_single_file()
    {
        using var folder = new TemporaryFolder();
        var library = GlibcxxElf.Create(symbols: GlibcxxElf.UncalledSymbol);
        var patched = GlibcxxElf.WithFlag(library, 2);
        WritePackage(Path.Combine(folder.Path, "Natives.1.0.0.nupkg"), library);
        File.WriteAllText(Path.Combine(folder.Path, "App.cs"), "return;");
        File.WriteAllText(Path.Combine(folder.Path, "App.csproj"), App);
        File.WriteAllText(Path.Combine(folder.Path, "All.proj"), All);

        var (exitCode, output) = Dotnet.Run("msbuild", "-nologo", "-v:m", Path.Combine(folder.Path, "All.proj"));
        Assert.True(exitCode == 0, output);

        var native = Path.Combine("runtimes", "linux", "native", Library);
        Assert.Equal(library, File.ReadAllBytes(Path.Combine(folder.Path, "packages", "natives", "1.0.0", native)));
        Assert.Equal(patched, File.ReadAllBytes(Path.Combine(folder.Path, "portable", native)));
        Assert.Equal(patched, File.ReadAllBytes(Path.Combine(folder.Path, "portable", "publish", native)));
        Assert.Equal(patched, File.ReadAllBytes(Path.Combine(folder.Path, "beside", "publish", Library)));
        Assert.False(File.Exists(Path.Combine(folder.Path, "inside", "publish", Library)));
        Assert.True(File.ReadAllBytes(Path.Combine(folder.Path, "inside", "publish", "App")).AsSpan().IndexOf(patched) > 0);
    }

    private static void WritePackage(string file, byte[] library)
    {
        using var package = ZipFile.Open(file, ZipArchiveMode.Create);
        using (var nuspec = new StreamWriter(package.CreateEntry("Natives.nuspec").Open()))
        {
            nuspec.Write("<package><metadata><id>Natives</id><version>1.0.0</version><authors>a</authors><description>d</description></metadata></package>");
        }

        using var native = package.CreateEntry($"runtimes/linux/native/{Library}").Open();
        native.Write(library);
    }

    private static string App => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net{Environment.Version.Major}.0</TargetFramework>
            <RuntimeIdentifier Condition="'$(ForThisSystem)' == 'true'">$(NETCoreSdkRuntimeIdentifier)</RuntimeIdentifier>
            <SelfContained>false</SelfContained>
            <EnableDefaultItems>false</EnableDefaultItems>
            <RestoreSources>$(MSBuildProjectDirectory)</RestoreSources>
            <RestorePackagesPath>packages</RestorePackagesPath>
            <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
            <CreateHardLinksForPublishFilesIfPossible>true</CreateHardLinksForPublishFilesIfPossible>
            <TorchSharpWeakGlibcxx>always</TorchSharpWeakGlibcxx>
          </PropertyGroup>
          <ItemGroup>
            <Compile Include="App.cs" />
            <PackageReference Include="Natives" Version="1.0.0" />
          </ItemGroup>
          <!-- Said this late, PublishSingleFile asks for no runtime package, which only a feed would have. -->
          <Target Name="PublishAsSingleFile" BeforeTargets="PrepareForPublish" Condition="'$(SingleFile)' == 'true'">
            <PropertyGroup>
              <PublishSingleFile>true</PublishSingleFile>
            </PropertyGroup>
          </Target>
          <Import Project="{Dotnet.Repository}/TorchPooling/buildTransitive/TorchPooling.targets" />
        </Project>
        """;

    private static string All => $"""
        <Project DefaultTargets="All">
          <Target Name="All">
            {Publish("portable", "ForThisSystem=false")}
            {Publish("beside", "ForThisSystem=true;SingleFile=true")}
            {Publish("inside", "ForThisSystem=true;SingleFile=true;IncludeNativeLibrariesForSelfExtract=true")}
          </Target>
        </Project>
        """;

    // Phase makes MSBuild read the project again after the restore, with the files that it wrote.
    private static string Publish(string output, string properties) => $"""
        <MSBuild Projects="App.csproj" Targets="Restore" Properties="Phase=restore;BaseIntermediateOutputPath=obj-{output}/;{properties}" />
            <MSBuild Projects="App.csproj" Targets="Publish" Properties="OutDir={output}/;PublishDir={output}/publish/;BaseIntermediateOutputPath=obj-{output}/;{properties}" />
        """;
}
