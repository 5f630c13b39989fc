using System.CommandLine;
using MultiScale.Training;

namespace MultiScale.Commands;

/// <summary>The command line.</summary>
/// <param name="error">Takes the one line that says what to mend.</param>
internal sealed class Cli(TextWriter error)
{
    private const string Sample = "multi-scale";
    private const string DrawnSizes = "20,28,40,64";
    private const string FashionSizes = "20,24,28,32,40";

    private readonly CommandLine line = new(error);

    /// <summary>Called with the network's name and the number of its finished epochs.</summary>
    public Action<string, int>? EpochDone { get; init; }

    public Task<int> Run(string[] args, CancellationToken cancellation = default)
    {
        var data = CommandLine.Named<string?>(new("--data") { Description = "folder with the four IDX files of Fashion-MNIST; drawn shapes without it" });
        var quick = new Option<bool>("--quick") { Description = "few pictures and one epoch: shows in seconds that all runs, not what it can" };
        var epochs = new Option<int>("--epochs") { Description = $"passes for each network [{RunCommand.DrawnEpochs}; Fashion-MNIST {RunCommand.FashionEpochs}; with --quick 1; with --draw epoch one for each size or more]" };
        var sizes = new Option<string>("--train-sizes") { Description = $"pixels a side, {RunOptions.SmallestSize} to {RunOptions.LargestSize}, of the pictures that the network of several sizes learns from [{DrawnSizes}; Fashion-MNIST {FashionSizes}]" };
        var draw = new Option<string>("--draw") { Description = "when their size is drawn: one after the other, an epoch each; for every batch; or for every image, a batch running size by size", DefaultValueFactory = _ => "batch" };
        draw.AcceptOnlyFromAmong("epoch", "batch", "image");
        var seed = new Option<int>("--seed") { Description = "of weights, pictures and draws", DefaultValueFactory = _ => 1 };
        var threads = new Option<int>("--threads") { Description = "of the CPU; 0 for all", DefaultValueFactory = _ => 0 };
        var device = CommandLine.DeviceName();
        var output = CommandLine.Out(Sample);
        var root = new RootCommand("One network for images of any size: spatial pyramid pooling against flattening and global pooling, and a search for objects over one map.")
        {
            data, quick, epochs, sizes, draw, seed, threads, device, output,
        };
        root.SetAction((parsed, stop) => line.Guard(() =>
        {
            var source = parsed.GetValue(data);
            var trainSizes = RunOptions.ParseSizes(CommandLine.Typed(parsed, sizes, source is null ? DrawnSizes : FashionSizes));
            var sizeDraw = Enum.Parse<SizeDraw>(parsed.GetValue(draw)!, ignoreCase: true);
            var passes = parsed.GetValue(quick) ? 1 : source is null ? RunCommand.DrawnEpochs : RunCommand.FashionEpochs;
            var defaultEpochs = sizeDraw == SizeDraw.Epoch ? Math.Max(passes, trainSizes.Length) : passes;
            new RunCommand(
                new(
                    source, parsed.GetValue(quick), CommandLine.Typed(parsed, epochs, defaultEpochs), parsed.GetValue(seed), trainSizes, sizeDraw,
                    parsed.GetValue(threads)),
                CommandLine.Folder(parsed.GetValue(output), Sample), parsed.GetValue(device)!, EpochDone, stop).Run();
        }));
        return line.Invoke(root, args, cancellation);
    }
}
