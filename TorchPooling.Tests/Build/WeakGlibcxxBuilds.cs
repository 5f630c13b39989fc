using System.Text;

namespace TorchPooling.Tests.Build;

/// <summary>
/// Builds that import the real TorchPooling.targets and take stand-ins for libLibTorchSharp.so, one in each folder
/// under packages/, all in one start of MSBuild.
/// </summary>
public sealed class WeakGlibcxxBuilds : IDisposable
{
    internal static readonly DateTime PackageTime = new(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc);
    internal const UnixFileMode PackageMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead;
    private const string Library = "libLibTorchSharp.so";

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _printed;

    public WeakGlibcxxBuilds()
    {
        Synthetic = GlibcxxElf.Create(symbols: GlibcxxElf.UncalledSymbol);
        if (!OperatingSystem.IsLinux())
        {
            _printed = [];
            return;
        }

        Real = GlibcxxElf.WithFlag(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, Library)), 0);
        AddSound();
        AddBroken();
        foreach (var (name, bytes) in Packages)
        {
            Write(name, bytes);
        }

        Directory.CreateDirectory(Path.Combine(_folder.Path, "obj", "Debug"));
        File.WriteAllText(Path.Combine(_folder.Path, "Build.proj"), Build);
        File.WriteAllText(Path.Combine(_folder.Path, "All.proj"), All);
        var (_, output) = Dotnet.Run("msbuild", "-nologo", Path.Combine(_folder.Path, "All.proj"));
        _printed = output.Split("== ").Skip(1).ToDictionary(part => part.Split('\n')[0].Trim());
        if (!_printed.ContainsKey("end"))
        {
            throw new InvalidOperationException(output);
        }
    }

    /// <summary>What lies in packages/, by folder.</summary>
    internal Dictionary<string, byte[]> Packages { get; } = [];

    /// <summary>The library of TorchSharp, its flag cleared.</summary>
    internal byte[] Real { get; } = [];

    internal byte[] Synthetic { get; }

    /// <summary>The lines that a build printed about one package.</summary>
    internal string[] Printed(string build, string package) =>
        _printed[build].Split('\n').Where(line => line.Contains($"/{package}/{Library}")).Select(line => line.Trim()).ToArray();

    internal string[] Printed(string build) =>
        _printed[build].Split('\n').Skip(1).Where(line => line.Trim().Length > 0).ToArray();

    internal string InOutput(string output, string package) => Path.Combine(_folder.Path, output, package, Library);

    internal string InPackages(string package) => InOutput("packages", package);

    public void Dispose() => _folder.Dispose();

    private void AddSound()
    {
        Packages["real"] = Real;
        Packages["real-patched"] = GlibcxxElf.WithFlag(Real, 2);
        Packages["synthetic"] = Synthetic;
        Packages["patched"] = GlibcxxElf.WithFlag(Synthetic, 2);
        Packages["other-flag"] = GlibcxxElf.WithFlag(Synthetic, 1);
        Packages["no-need"] = GlibcxxElf.Create("GLIBCXX_3.4.31", GlibcxxElf.UncalledSymbol);
    }

    private void AddBroken()
    {
        Packages["called"] = GlibcxxElf.Create(GlibcxxElf.Version, "_ZSt6called");
        Packages["two-symbols"] = GlibcxxElf.Create(GlibcxxElf.Version, GlibcxxElf.UncalledSymbol, "_ZSt6called");
        Packages["text"] = Encoding.ASCII.GetBytes("no library, but text that says GLIBCXX_3.4.32\0");
        Packages["elf32"] = Changed(4, 1);
        Packages["big-endian"] = Changed(5, 2);
        Packages["stripped"] = Changed(0x3c, 0);

        // 65535 entries at one place, and a chain of libraries that goes back.
        var needs = GlibcxxElf.FlagOffset(Synthetic) - 4 - 64;
        Packages["endless-entries"] = Changed(needs + 2, 0xff, 0xff);
        Packages["backwards"] = Changed(needs + 12, 0xf0, 0xff, 0xff, 0xff);

        foreach (var length in Enumerable.Range(0, Synthetic.Length))
        {
            Packages[$"truncated-{length}"] = Synthetic[..length];
        }

        foreach (var length in new[] { 3, 63, 64, 4096, Real.Length / 2, Real.Length - 1 })
        {
            Packages[$"real-truncated-{length}"] = Real[..length];
        }

        var random = new Random(32);
        for (var i = 0; i < 300; i++)
        {
            Packages[$"garbled-{i}"] = Changed(random.Next(4, Synthetic.Length), (byte)random.Next(256), (byte)random.Next(256));
        }
    }

    private byte[] Changed(int offset, params byte[] values)
    {
        var changed = Synthetic.ToArray();
        values.AsSpan(0, Math.Min(values.Length, changed.Length - offset)).CopyTo(changed.AsSpan(offset));
        return changed;
    }

    private void Write(string package, byte[] bytes)
    {
        var file = InPackages(package);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
        File.SetLastWriteTimeUtc(file, PackageTime);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, PackageMode);
        }
    }

    // One project that copies as every project does, and nothing else.
    private static string Build => $"""
        <Project>
          <PropertyGroup>
            <CopyBuildOutputToOutputDirectory>false</CopyBuildOutputToOutputDirectory>
            <TargetFrameworkIdentifier>.NETCoreApp</TargetFrameworkIdentifier>
            <TargetFrameworkVersion>v10.0</TargetFrameworkVersion>
          </PropertyGroup>
          <ItemGroup>
            <ReferenceCopyLocalPaths Include="packages/*$(Named)*/{Library}">
              <DestinationSubDirectory>$([System.String]::new('%(RelativeDir)').Substring(9))</DestinationSubDirectory>
            </ReferenceCopyLocalPaths>
          </ItemGroup>
          <Import Project="$(MSBuildToolsPath)/Microsoft.Common.targets" />
          <Import Project="{Dotnet.Repository}/TorchPooling/buildTransitive/TorchPooling.targets" />
        </Project>
        """;

    private static string All => $"""
        <Project DefaultTargets="All">
          <Target Name="All">
            {One("hard links", "", "TorchSharpWeakGlibcxx=always;OutputPath=hard/;CreateHardLinksForCopyLocalIfPossible=true")}
            {One("hard links again", "real", "TorchSharpWeakGlibcxx=always;OutputPath=hard/;CreateHardLinksForCopyLocalIfPossible=true")}
            {One("symbolic links", "real", "TorchSharpWeakGlibcxx=always;OutputPath=symbolic/;CreateSymbolicLinksForCopyLocalIfPossible=true")}
            {One("symbolic links again", "real", "TorchSharpWeakGlibcxx=always;OutputPath=symbolic/;CreateSymbolicLinksForCopyLocalIfPossible=true")}
            {One("copies", "real", "TorchSharpWeakGlibcxx=always;OutputPath=copies/")}
            {One("auto", "real", "OutputPath=auto/")}
            {One("never", "real", "TorchSharpWeakGlibcxx=never;OutputPath=never/")}
            {One("wrong mode", "real", "TorchSharpWeakGlibcxx=maybe;OutputPath=wrong/")}
            {One("warnings as errors", "text", "TorchSharpWeakGlibcxx=always;OutputPath=errors/;MSBuildTreatWarningsAsErrors=true")}
            <Message Importance="high" Text="== end" />
          </Target>
        </Project>
        """;

    // BuildName makes every build one of its own, even with the properties of another.
    private static string One(string name, string named, string properties) => $"""
        <Message Importance="high" Text="== {name}" />
            <MSBuild Projects="Build.proj" Targets="CopyFilesToOutputDirectory" ContinueOnError="ErrorAndContinue"
                     Properties="BuildName={name};Named={named};{properties}" />
        """;
}
