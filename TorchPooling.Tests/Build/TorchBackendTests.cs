using System.Text.Json;

namespace TorchPooling.Tests.Build;

public class TorchBackendTests
{
    private const string Tests = "TorchPooling.Tests/TorchPooling.Tests.csproj";
    private const string Sample = "samples/PlaceRecognition/PlaceRecognition.csproj";
    private const string Library = "TorchPooling/TorchPooling.csproj";

    // Columns: project, backend (empty: none given), native packages with their versions, version of TorchSharp.
    public static TheoryData<string, string, string, string> Backends { get; } = new()
    {
        { Tests, "", "TorchSharp-cpu 0.107.0", "0.107.0" },
        { Tests, "cpu", "TorchSharp-cpu 0.107.0", "0.107.0" },
        { Tests, "cuda-linux", "TorchSharp-cuda-linux 0.107.0", "0.107.0" },
        { Tests, "cuda-windows", "TorchSharp-cuda-windows 0.107.0", "0.107.0" },
        { Tests, "cuda-12.1-win-x64", "libtorch-cuda-12.1-win-x64 2.5.1", "0.105.0" },
        { Tests, "system", "", "0.107.0" },
        { Sample, "", "TorchSharp-cpu 0.107.0", "0.107.0" },
        { Sample, "cpu", "TorchSharp-cpu 0.107.0", "0.107.0" },
        { Sample, "cuda-linux", "TorchSharp-cuda-linux 0.107.0", "0.107.0" },
        { Sample, "cuda-windows", "TorchSharp-cuda-windows 0.107.0", "0.107.0" },
        { Sample, "cuda-12.1-win-x64", "libtorch-cuda-12.1-win-x64 2.5.1", "0.105.0" },
        { Sample, "system", "", "0.107.0" },
        { Library, "cpu", "", "0.107.0" },
        { Library, "cuda-12.1-win-x64", "", "0.105.0" },
    };

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_backend_brings_its_native_packages_and_no_others(string project, string backend, string natives, string torchSharp)
    {
        string[] chosen = backend.Length > 0 ? [$"-p:TorchBackend={backend}"] : [];
        var (exitCode, output) = Dotnet.Run(
            ["msbuild", "-nologo", project, "-getItem:PackageReference", "-getItem:PackageVersion", .. chosen]);
        Assert.True(exitCode == 0, output);

        using var json = JsonDocument.Parse(output);
        var items = json.RootElement.GetProperty("Items");
        var versions = Identities(items, "PackageVersion").ToDictionary(i => i.Name, i => i.Item.GetProperty("Version").GetString());
        var found = Identities(items, "PackageReference")
            .Where(i => i.Name.StartsWith("TorchSharp-", StringComparison.OrdinalIgnoreCase)
                || i.Name.StartsWith("libtorch", StringComparison.OrdinalIgnoreCase))
            .Select(i => $"{i.Name} {versions[i.Name]}");
        Assert.Equal(natives, string.Join(", ", found));
        Assert.Equal(torchSharp, versions["TorchSharp"]);
    }

    [Theory]
    [InlineData("rocm")]
    [InlineData("cuda")]
    [InlineData("cpu, cuda-linux")]
    public void Any_other_backend_ends_the_build_with_a_message_that_lists_the_known_ones(string backend)
    {
        // Any target will do: the check comes first. This one would build nothing.
        var (exitCode, output) = Dotnet.Run(
            "msbuild", "-nologo", Sample, "-t:GetTargetPath", $"-p:TorchBackend={backend.Replace(",", "%2c")}");

        Assert.NotEqual(0, exitCode);
        Assert.Contains(
            $"error : TorchBackend is '{backend}', expected one of: cpu, cuda-linux, cuda-windows, cuda-12.1-win-x64, system.",
            output);
    }

    private static IEnumerable<(string Name, JsonElement Item)> Identities(JsonElement items, string kind) =>
        items.GetProperty(kind).EnumerateArray().Select(i => (i.GetProperty("Identity").GetString()!, i));
}
