using System.CommandLine;
using Distributed.Data;
using Experiments;

namespace Distributed.Commands;

/// <summary>The command line: options in, exit code out (0 done, 1 something to mend, 130 stopped).</summary>
/// <param name="output">Takes what is printed, of the ranks too.</param>
/// <param name="error">Takes the one line that says what to mend.</param>
internal sealed class Cli(TextWriter output, TextWriter error)
{
    private const string Sample = "distributed";

    private readonly CommandLine line = new(error);

    public Task<int> Run(string[] args, CancellationToken cancellation = default) => line.Invoke(FineTune(), args, cancellation);

    private RootCommand FineTune()
    {
        var data = CommandLine.Named<string?>(new("--data") { Description = "folder with train and val, in both one folder of images for each class; drawn house fronts without it" });
        var processes = new Option<int>("--processes") { Description = "processes of finetune.py on this machine; 0 trains in this one, without Python", DefaultValueFactory = _ => 0 };
        var python = CommandLine.Named(new Option<string>("--python")
        {
            Description = "interpreter with torch and torchvision; TORCHPOOLING_PYTHON of the environment where not given",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("TORCHPOOLING_PYTHON") is { Length: > 0 } named ? named : "/usr/bin/python3",
        });
        var device = new Option<string>("--device") { Description = "cpu or cuda: one GPU for each process", DefaultValueFactory = _ => "cpu" };
        var size = new Option<string>("--image-size") { Description = "HEIGHTxWIDTH that images are scaled to", DefaultValueFactory = _ => $"{HouseFronts.Side}x{HouseFronts.Side}" };
        var epochs = new Option<int>("--epochs") { Description = "passes over the images", DefaultValueFactory = _ => 8 };
        var batch = new Option<int>("--batch-size") { Description = "images of a step, of all processes together", DefaultValueFactory = _ => 32 };
        var rate = new Option<double>("--lr") { Description = "of SGD with momentum 0.9", DefaultValueFactory = _ => 0.01 };
        var seed = new Option<int>("--seed") { Description = "of weights, drawings and order", DefaultValueFactory = _ => 1 };
        var folder = CommandLine.Out(Sample);
        var root = new RootCommand("Exports a classifier, fine-tunes it here or with PyTorch in several processes, and takes the weights back.")
        {
            data, processes, python, device, size, epochs, batch, rate, seed, folder,
        };
        root.SetAction((parsed, cancellation) => line.Guard(() => new FineTuneCommand(
            new(
                parsed.GetValue(data), parsed.GetValue(processes), parsed.GetValue(python)!, parsed.GetValue(device)!, ImageSize.Parse(parsed.GetValue(size)!),
                parsed.GetValue(epochs), parsed.GetValue(batch), parsed.GetValue(rate), parsed.GetValue(seed)),
            CommandLine.Folder(parsed.GetValue(folder), Sample),
            output, cancellation).Run(), "Stopped."));
        return root;
    }
}
