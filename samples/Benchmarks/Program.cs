using System.CommandLine;
using Benchmarks;

var filter = new Option<string>("--filter") { Description = "only cases with this text in their name", DefaultValueFactory = _ => "" };
var json = new Option<FileInfo?>("--json") { Description = "also write the result to this file" };
var quick = new Option<bool>("--quick") { Description = "small inputs, two rounds: shows in seconds that all runs, not how fast" };
var rounds = new Option<int>("--rounds") { Description = "timed rounds of each case [9; with --quick 2]" };
var threads = new Option<int>("--threads") { Description = "of both sides", DefaultValueFactory = _ => Environment.ProcessorCount };
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

var root = new RootCommand("Times the operators of TorchPooling beside those of PyTorch and torchvision, on the same inputs and threads.")
{
    filter, json, quick, rounds, threads,
};
root.SetAction(parsed =>
{
    var small = parsed.GetValue(quick);
    var cases = Cases.All(small).Where(item => item.Name.Contains(parsed.GetValue(filter)!, StringComparison.OrdinalIgnoreCase)).ToList();
    if (cases.Count == 0)
    {
        Console.Error.WriteLine($"--filter {parsed.GetValue(filter)}: expected a part of one of {string.Join("; ", Cases.All(small).Select(item => item.Name))}");
        return 1;
    }

    var count = parsed.GetValue(rounds) is var given and > 0 ? given : small ? 2 : 9;
    try
    {
        var result = new Harness(count, parsed.GetValue(threads)).Run(cases);
        Report.Print(result);
        if (parsed.GetValue(json) is { } file)
        {
            Report.Write(result, file.FullName);
        }

        return 0;
    }
    catch (InvalidOperationException e)   // another result than the reference, or the reference ended
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
});
return root.Parse(args).Invoke();
