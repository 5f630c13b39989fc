using System.CommandLine;
using Benchmarks;
using Benchmarks.Cases;
using TorchSharp;

var filter = new Option<string>("--filter") { Description = "only what has this text in its name: an operator, 'memory', 'growth', 'overhead'", DefaultValueFactory = _ => "" };
var json = new Option<FileInfo?>("--json") { Description = "also write all results to this file" };
var chart = new Option<FileInfo?>("--chart") { Description = "also draw the growth of time and memory into this PNG" };
var device = new Option<string>("--device") { Description = "where it runs", DefaultValueFactory = _ => "cpu" };
device.AcceptOnlyFromAmong("cpu", "cuda");
var quick = new Option<bool>("--quick") { Description = "small inputs, two rounds: shows in seconds that all runs, not how fast" };
var rounds = new Option<int>("--rounds") { Description = "timed rounds of each case, fewer where they take long [9; with --quick 2]" };
var threads = new Option<int>("--threads") { Description = "of all that runs", DefaultValueFactory = _ => Environment.ProcessorCount };
var export = new Option<DirectoryInfo?>("--export") { Description = "only write TorchScript files into this folder, for peers.py, which times them in Python" };
var memoryOf = new Option<string?>(Memory.Option) { Hidden = true };
foreach (var option in new[] { rounds, threads })
{
    option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int>() < 1 && result.Tokens.Count > 0)
        {
            result.AddError($"{result.Option.Name}: expected a number of at least 1");
        }
    });
}

var root = new RootCommand("Times the operators of TorchPooling beside what one would write instead, and beside the floor; measures their memory and how both grow.")
{
    filter, json, chart, device, quick, rounds, threads, export, memoryOf,
};
root.SetAction(parsed =>
{
    var small = parsed.GetValue(quick);
    var on = parsed.GetValue(device)!;
    var suite = new Suite(small, on);
    var count = parsed.GetValue(rounds) is var given and > 0 ? given : small ? 2 : 9;
    try
    {
        if (on == "cuda" && !torch.cuda.is_available())
        {
            Console.Error.WriteLine("--device cuda: libtorch sees no GPU");
            return 1;
        }

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = false;   // float32 is float32
        if (parsed.GetValue(export) is { } folder)
        {
            Exports.Write(folder.FullName);
            return 0;
        }

        if (parsed.GetValue(memoryOf) is { } name)
        {
            Memory.Measure(suite.Find(name));
            return 0;
        }

        var harness = new Harness(count, parsed.GetValue(threads), on);
        if (suite.Run(parsed.GetValue(filter)!, harness) is not { } results)
        {
            Console.Error.WriteLine($"--filter {parsed.GetValue(filter)}: expected a part of a name, such as {string.Join(", ", suite.Operators)}, memory, growth or overhead");
            return 1;
        }

        var report = new Report(harness, results, on, small);
        report.Print();
        if (parsed.GetValue(json) is { } file)
        {
            report.Write(file.FullName);
        }

        if (parsed.GetValue(chart) is { } picture && results.Growth.Count > 0)
        {
            Chart.Write(results.Growth, picture.FullName);
        }

        harness.Failures.ForEach(Console.Error.WriteLine);
        return harness.Failures.Count == 0 ? 0 : 1;
    }
    catch (InvalidOperationException e)   // the process that measures memory ended
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
});
return root.Parse(args).Invoke();
