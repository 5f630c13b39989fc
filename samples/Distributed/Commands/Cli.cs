using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Data;

namespace Distributed.Commands;

/// <summary>The command line: options in, exit code out (0 done, 1 something to mend, 130 stopped).</summary>
/// <param name="output">Takes what is printed, of the ranks too.</param>
/// <param name="error">Takes the one line that says what to mend.</param>
internal sealed class Cli(TextWriter output, TextWriter error)
{
    private const int Mend = 1;
    private const int Stopped = 130;

    public async Task<int> Run(string[] args, CancellationToken cancellation = default)
    {
        var parsed = FineTune().Parse(args);
        return parsed.Errors.Count > 0
            ? Fail(string.Join(" ", parsed.Errors.Select(problem => problem.Message)))
            : await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(1) }, cancellation);
    }

    private RootCommand FineTune()
    {
        var data = new Option<string?>("--data") { Description = "folder with train and val, in both one folder of images for each class; drawn house fronts without it" };
        var processes = new Option<int>("--processes") { Description = "processes of finetune.py on this machine; 0 trains in this one, without Python", DefaultValueFactory = _ => 0 };
        var python = new Option<string>("--python")
        {
            Description = "interpreter with torch and torchvision; TORCHPOOLING_PYTHON of the environment where not given",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("TORCHPOOLING_PYTHON") ?? "/usr/bin/python3",
        };
        var device = new Option<string>("--device") { Description = "cpu or cuda: one GPU for each process", DefaultValueFactory = _ => "cpu" };
        var size = new Option<string>("--image-size") { Description = "HEIGHTxWIDTH that images are scaled to", DefaultValueFactory = _ => $"{HouseFronts.Side}x{HouseFronts.Side}" };
        var epochs = new Option<int>("--epochs") { Description = "passes over the images", DefaultValueFactory = _ => 8 };
        var batch = new Option<int>("--batch-size") { Description = "images of a step, of all processes together", DefaultValueFactory = _ => 32 };
        var rate = new Option<double>("--lr") { Description = "of SGD with momentum 0.9", DefaultValueFactory = _ => 0.01 };
        var seed = new Option<int>("--seed") { Description = "of weights, drawings and order", DefaultValueFactory = _ => 1 };
        var folder = new Option<string?>("--out") { Description = "new folder of the run; runs/distributed-TIME where not given" };
        var root = new RootCommand("Exports a classifier, fine-tunes it here or with PyTorch in several processes, and takes the weights back.")
        {
            data, processes, python, device, size, epochs, batch, rate, seed, folder,
        };
        root.SetAction((parsed, cancellation) => Guard(() => new FineTuneCommand(
            new(
                parsed.GetValue(data), parsed.GetValue(processes), parsed.GetValue(python)!, parsed.GetValue(device)!, ImageSize.Parse(parsed.GetValue(size)!),
                parsed.GetValue(epochs), parsed.GetValue(batch), parsed.GetValue(rate), parsed.GetValue(seed)),
            parsed.GetValue(folder) ?? Path.Combine("runs", DateTime.Now.ToString("'distributed-'yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)),
            output, cancellation).Run()));
        return root;
    }

    private Task<int> Guard(Action action)
    {
        try
        {
            action();
            return Task.FromResult(0);
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("Stopped.");
            return Task.FromResult(Stopped);
        }
        catch (Exception e) when (e is UserException or IOException or InvalidDataException or UnauthorizedAccessException or ExternalException or InvalidOperationException)
        {
            return Task.FromResult(Fail(e.Message));
        }
    }

    private int Fail(string message)
    {
        error.WriteLine(message.Split('\n')[0].Trim());
        return Mend;
    }
}
