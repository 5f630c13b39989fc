using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spectre.Console;

namespace Benchmarks;

/// <summary>What was measured, and how the goals stand, as tables and as JSON.</summary>
internal sealed class Report(Harness settings, Results results, string device, bool quick)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Verdict[] verdicts = quick || device != "cpu" ? [] : [.. Goals.All.Select(goal => goal.Judge(results)).OfType<Verdict>()];   // of two CPU cores; tiny inputs say nothing

    private string Machine =>
        $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {device}, TorchSharp for libtorch {TorchSharp.torch.__version__}";

    public void Print()
    {
        foreach (var group in results.Times.GroupBy(item => item.Case.Operator))
        {
            PrintTimes(group.Key, [.. group]);
        }

        Print("Peak of memory beyond the input", ["case", "MB", "over the input"], results.Memory.Select(item => new[]
        {
            item.Case.Name, Number(item.Extra / 1e6, "0.0"), Number(item.Ratio, "0.00"),
        }));
        Print("Growth: exponents", ["series", "sizes", "time", "memory"], results.Growth.Select(item => new[]
        {
            item.Series.Name, string.Join(", ", item.Series.Cases.Select(one => one.Size)), Number(item.Time, "0.00"), Number(item.Memory, "0.00"),
        }));
        Print("One call of a module beyond libtorch's calls", ["module", "µs", "managed bytes"], results.Overhead.Select(item => new[]
        {
            item.Name, Number(item.Microseconds, "0.0"), Number(item.Bytes, "0"),
        }));
        Print("Goals", ["goal", "", "met", "median", "worst", "of", "which the floor would have at"], verdicts.Select(verdict => new[]
        {
            verdict.Goal.Text, verdict.Limit, verdict.IsMet ? $"all {verdict.Cases}" : $"SHORT: {verdict.Met} of {verdict.Cases}",
            Number(verdict.Median, "0.00"), Number(verdict.Worst.Value, "0.00"), verdict.Worst.Case,
            verdict.Worst.Floor is { } floor ? $"{Number(floor.Value, "0.00")} ({floor.Name})" : "",
        }));
        Console.WriteLine($"{Machine}, {settings.Threads} threads, at most {settings.Rounds} rounds in turns. Times in ms: median (least to most), × times ours.");
    }

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(
        new
        {
            machine = Machine,
            threads = settings.Threads,
            cases = results.Times.Select(item => new
            {
                name = item.Case.Name,
                milliseconds = item.Times.ToDictionary(times => times.Name, times => times.Milliseconds),
                missing = item.Missing,
            }),
            memory = results.Memory.Select(item => new { name = item.Case.Name, extra = item.Extra, input = item.Input }),
            growth = results.Growth.Select(item => new
            {
                name = item.Series.Name,
                sizes = item.Series.Cases.Select(one => one.Size),
                milliseconds = item.Milliseconds,
                bytes = item.Bytes,
                time_exponent = item.Time,
                memory_exponent = item.Memory,
            }),
            overhead = results.Overhead.Select(item => new { name = item.Name, microseconds = item.Microseconds, bytes = item.Bytes }),
            goals = verdicts.Select(verdict => new
            {
                goal = verdict.Goal.Text,
                limit = verdict.Limit,
                met = verdict.Met,
                cases = verdict.Cases,
                median = verdict.Median,
                worst = verdict.Worst.Value,
                worst_case = verdict.Worst.Case,
                worst_of_floor = verdict.Worst.Floor?.Value,
            }),
        },
        Indented));

    private static void PrintTimes(string title, Measured[] cases)
    {
        var columns = cases.SelectMany(item => item.Times).Select(times => times.Name).Distinct().ToArray();
        Print(title, ["input", .. columns], cases.Select(item => new[] { $"{item.Case.Setting}" }.Concat(columns.Select(column => Cell(item, column))).ToArray()));
        foreach (var missing in cases.Select(item => item.Missing).OfType<string>().Distinct())
        {
            Console.WriteLine(missing);
        }
    }

    private static void Print(string title, string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().AddColumns([.. columns.Select(Markup.Escape)]);
        if (Console.IsOutputRedirected)   // into a document
        {
            table.MarkdownBorder();
            AnsiConsole.Profile.Width = 1000;
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        if (table.Rows.Count > 0)
        {
            Console.WriteLine($"\n**{title}**\n");
            AnsiConsole.Write(table);
        }
    }

    private static string Cell(Measured item, string column)
    {
        if (item.Times.FirstOrDefault(times => times.Name == column) is not { } times)
        {
            return "";
        }

        var ratio = times == item.Times[0] ? "" : $" ×{Number(item.Against(column)!.Value, "0.00")}";
        return $"{Number(times.Median, "0.00")} ({Number(times.Milliseconds.Min(), "0.00")} to {Number(times.Milliseconds.Max(), "0.00")}){ratio}";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
