using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Experiments;

/// <summary>Command lines: options in, exit code out (0 done, 1 something to mend, 130 stopped).</summary>
/// <param name="error">Takes the one line that says what to mend.</param>
internal sealed class CommandLine(TextWriter error)
{
    private const int Mend = 1;
    private const int Stopped = 130;
    private const string RunsFolder = "runs";

    /// <param name="sample">Begins the names of its runs.</param>
    public static Option<string?> Out(string sample) => Named<string?>(new("--out") { Description = $"new folder of the run; {RunsFolder}/{sample}-TIME where not given" });

    public static Option<string> DeviceName() => new("--device") { Description = "cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };

    /// <summary>The option of a file or folder, which "" names none of.</summary>
    public static Option<T> Named<T>(Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
            {
                result.AddError($"{option.Name}: expected a name, got an empty one");
            }
        });
        return option;
    }

    /// <summary>What was asked for, else runs/SAMPLE-TIME.</summary>
    public static string Folder(string? output, string sample) =>
        output ?? Path.Combine(RunsFolder, $"{sample}-{DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}");

    /// <summary>What was typed, else <paramref name="otherwise"/>.</summary>
    public static T Typed<T>(ParseResult parsed, Option<T> option, T otherwise) =>
        parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option)! : otherwise;

    /// <summary>Runs what was typed; Ctrl-C has a minute to end cleanly.</summary>
    public async Task<int> Invoke(RootCommand root, string[] args, CancellationToken cancellation)
    {
        var parsed = root.Parse(args);
        return parsed.Errors.Count > 0
            ? Fail(string.Join(" ", parsed.Errors.Select(problem => problem.Message)))
            : await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(1) }, cancellation);
    }

    /// <summary>Runs a command; what the user can mend becomes a line, anything else is a mistake of the program and keeps its stack.</summary>
    public Task<int> Guard(Action action, string stopped = "Stopped. Nothing is kept.")
    {
        try
        {
            action();
            return Task.FromResult(0);
        }
        catch (Exception e) when (Cause(e) is OperationCanceledException)
        {
            error.WriteLine(stopped);
            return Task.FromResult(Stopped);
        }
        catch (Exception e) when (Cause(e) is UserException or IOException or UnauthorizedAccessException or ExternalException)
        {
            return Task.FromResult(Fail(Cause(e) is UserException user ? user.Message : Cause(e).Message.Split('\n')[0]));
        }
    }

    /// <summary>What went wrong in one of several parallel tasks is what went wrong.</summary>
    private static Exception Cause(Exception e) => e is AggregateException several ? several.Flatten().InnerExceptions[0] : e;

    private int Fail(string message)
    {
        error.WriteLine(string.Join(' ', message.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        return Mend;
    }
}
