using Spectre.Console;

namespace Experiments;

/// <summary>Progress bars on a terminal; plain lines where the output is a file or a log.</summary>
internal static class Terminal
{
    /// <param name="what">Describes the work.</param>
    /// <param name="amount">The whole of the work.</param>
    /// <param name="work">Gets a function that says how much was just done, and one that says what to show beside the bar, or
    /// to print as a line.</param>
    public static void Track(string what, double amount, Action<Action<double>, Action<string>> work)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            Console.WriteLine($"{what} …");
            work(_ => { }, Console.WriteLine);
            return;
        }

        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask(Markup.Escape(what), maxValue: amount);
                work(task.Increment, text => task.Description = Markup.Escape(text));
                task.Value = amount;
            });
    }
}
