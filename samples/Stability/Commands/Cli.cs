using System.CommandLine;

namespace Stability.Commands;

/// <summary>The command line.</summary>
/// <param name="error">Takes the one line that says what to mend.</param>
internal sealed class Cli(TextWriter error)
{
    private const string Sample = "stability";
    private const int DefaultSeeds = 3;

    private readonly CommandLine line = new(error);

    public Task<int> Run(string[] args, CancellationToken cancellation = default)
    {
        var data = CommandLine.Named<string?>(new("--data") { Description = "folder with the four IDX files of Fashion-MNIST; drawn shapes without it" });
        var quick = new Option<bool>("--quick") { Description = "few pictures, one epoch, one seed: shows in seconds that all runs, not what is true" };
        var seeds = new Option<int>("--seeds") { Description = $"how often every network is trained, for the error bars [{DefaultSeeds}; with --quick 1]" };
        var epochs = new Option<int>("--epochs") { Description = $"passes for each network [{RunCommand.DrawnEpochs}; Fashion-MNIST {RunCommand.FashionEpochs}; with --quick 1]" };
        var threads = new Option<int>("--threads") { Description = "of the CPU; 0 for all", DefaultValueFactory = _ => 0 };
        var device = CommandLine.DeviceName();
        var output = CommandLine.Out(Sample);
        var root = new RootCommand("What pooling does to invariance: networks that differ in nothing else, measured before and after training, and the claims about pooling put to the test.")
        {
            data, quick, seeds, epochs, threads, device, output,
        };
        root.SetAction((parsed, stop) => line.Guard(() =>
        {
            var (folder, isQuick) = (parsed.GetValue(data), parsed.GetValue(quick));
            var defaultEpochs = isQuick ? 1 : folder is null ? RunCommand.DrawnEpochs : RunCommand.FashionEpochs;
            new RunCommand(
                new(folder, isQuick, CommandLine.Typed(parsed, epochs, defaultEpochs), CommandLine.Typed(parsed, seeds, isQuick ? 1 : DefaultSeeds), parsed.GetValue(threads)),
                CommandLine.Folder(parsed.GetValue(output), Sample), parsed.GetValue(device)!, stop).Run();
        }));
        return line.Invoke(root, args, cancellation);
    }
}
