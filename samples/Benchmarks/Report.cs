using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spectre.Console;

namespace Benchmarks;

/// <summary>The measured times as a table and as JSON.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static void Print((Harness Settings, IReadOnlyList<Measured> Cases) result)
    {
        var table = new Table().AddColumns("case", "TorchPooling, ms", "PyTorch, ms", "ratio");
        foreach (var item in result.Cases)
        {
            table.AddRow(
                Markup.Escape(item.Name), Times(item.Ours), Markup.Escape(item.Missing ?? Times(item.Reference)),
                item.Ratio?.ToString("0.00", CultureInfo.InvariantCulture) ?? "");
        }

        AnsiConsole.Write(table);
        Console.WriteLine($"float32, {Machine}, {result.Settings.Threads} threads, {result.Settings.Rounds} rounds in turns: median (least to most); ratio of the medians");
    }

    public static void Write((Harness Settings, IReadOnlyList<Measured> Cases) result, string path) =>
        File.WriteAllText(path, JsonSerializer.Serialize(
            new
            {
                machine = Machine,
                threads = result.Settings.Threads,
                dtype = "float32",
                cases = result.Cases.Select(item => new { name = item.Name, milliseconds = item.Ours, reference = item.Reference, ratio = item.Ratio, missing = item.Missing }),
            },
            Indented));

    private static string Machine => $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores";

    private static string Times(IReadOnlyList<double> times) =>
        string.Create(CultureInfo.InvariantCulture, $"{Measured.Median(times):0.0} ({times.Min():0.0} to {times.Max():0.0})");
}
