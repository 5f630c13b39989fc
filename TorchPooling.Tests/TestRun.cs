using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace TorchPooling.Tests;

/// <summary>Runs tests where there is no .NET to run <c>dotnet test</c>: <c>TorchPooling.Tests test TEXT</c>, published as the README has it,
/// runs those whose name has the text.</summary>
internal sealed class TestRun : LongLivedMarshalByRefObject, IMessageSink
{
    private readonly List<ITestCase> cases = [];
    private readonly ManualResetEventSlim discovered = new();
    private readonly ManualResetEventSlim finished = new();
    private int passed;
    private int failed;
    private int skipped;

    /// <returns>0 where at least one test passed and none failed.</returns>
    public static int Of(string text)
    {
        var run = new TestRun();
        var assembly = Assembly.GetExecutingAssembly();
        using var framework = new XunitTestFramework(run);
        using var discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
        discoverer.Find(false, run, new Options());
        run.discovered.Wait();
        using var executor = framework.GetExecutor(assembly.GetName());
        executor.RunTests(run.cases.Where(item => item.DisplayName.Contains(text, StringComparison.Ordinal)), run, new Options());
        run.finished.Wait();
        Console.WriteLine($"{run.passed} passed, {run.failed} failed, {run.skipped} skipped");
        return run.failed == 0 && run.passed > 0 ? 0 : 1;
    }

    public bool OnMessage(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestCaseDiscoveryMessage found:
                cases.Add(found.TestCase);
                break;
            case IDiscoveryCompleteMessage:
                discovered.Set();
                break;
            case ITestPassed:
                passed++;
                break;
            case ITestFailed failure:
                failed++;
                Console.WriteLine($"{failure.Test.DisplayName}: {string.Join(" | ", failure.Messages)}\n{failure.StackTraces.FirstOrDefault()}");
                break;
            case ITestSkipped skip:
                skipped++;
                Console.WriteLine($"{skip.Test.DisplayName}: {skip.Reason}");
                break;
            case IFailureInformation error:   // of a fixture, of cleaning up, or of the run itself
                failed++;
                Console.WriteLine(string.Join(" | ", error.Messages));
                break;
            case ITestAssemblyFinished:
                finished.Set();
                break;
        }

        return true;
    }

    /// <summary>xunit's defaults, all but one: test after test.</summary>
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> values = new() { ["xunit.execution.DisableParallelization"] = true };

        public TValue GetValue<TValue>(string name) => values.GetValueOrDefault(name) is TValue value ? value : default!;

        public void SetValue<TValue>(string name, TValue value) => values[name] = value;
    }
}
