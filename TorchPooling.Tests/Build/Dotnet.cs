using System.Diagnostics;
using System.Reflection;

namespace TorchPooling.Tests.Build;

/// <summary>Runs the .NET command line on this repository or on a project that a test wrote.</summary>
internal static class Dotnet
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // What `dotnet test` sets for its own MSBuild, and what would stand in for a project's property.
    private static readonly string[] Inherited = ["MSBUILD", "TORCH", "USESTORCH", "NOWARN"];

    internal static string Repository { get; } = FindRepository();

    internal static string Configuration { get; } =
        typeof(Dotnet).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    internal static (int ExitCode, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository,
        };
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(IsInherited).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"dotnet {string.Join(' ', arguments)} did not end within {Limit.TotalSeconds} s.");
        }

        return (process.ExitCode, output.Result + errors.Result);
    }

    private static bool IsInherited(string name) =>
        Inherited.Any(start => name.StartsWith(start, StringComparison.OrdinalIgnoreCase));

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder != null && !File.Exists(Path.Combine(folder.FullName, "TorchPooling.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"No TorchPooling.sln above {AppContext.BaseDirectory}.");
    }
}
