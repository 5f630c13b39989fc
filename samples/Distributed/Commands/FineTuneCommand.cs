using System.Diagnostics;
using System.Globalization;
using Distributed.Data;
using Distributed.Training;
using Spectre.Console;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Commands;

/// <summary>Exports a classifier, has it fine-tuned here or by the ranks of finetune.py, takes the weights back and measures.</summary>
/// <param name="folder">New or empty: gets pictures/ (the drawn ones), model.pt and finetuned.pt.</param>
internal sealed class FineTuneCommand(RunOptions options, string folder, TextWriter output, CancellationToken cancellation)
{
    public const string ModelName = "model.pt";
    public const string FineTunedName = "finetuned.pt";

    private const int TrainPerClass = 200;
    private const int ValPerClass = 50;

    private readonly bool embedded = options.Processes == 0;
    private readonly Device device = Devices.Find(options.Device, here: options.Processes == 0);
    private readonly PythonRanks ranks = new(options.Python, gpu: options.Device == "cuda", output);

    private string ModelPath => Path.Combine(folder, ModelName);

    private string FineTunedPath => Path.Combine(folder, FineTunedName);

    public void Run()
    {
        options.Check();
        if (!embedded)
        {
            ranks.Check();
        }

        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new UserException($"--out: expected a new or empty folder, {folder} is not empty");
        }

        var given = options.Data is null ? null : Split.Read(options.Data);   // before anything is written
        Directory.CreateDirectory(folder);
        FineTune(given ?? Split.Read(Draw()));
    }

    private void FineTune(Split data)
    {
        using var scope = NewDisposeScope();
        var (images, labels) = data.Val.Load(options.ImageSize);
        using var model = Classifier.Create(data.Train.Classes.Length, options.Seed);
        model.to(device);
        torchscript.save(model, ModelPath, Classifier.Input(images[..2], device));

        var before = Classifier.Accuracy(model, images, labels, device);
        var clock = Stopwatch.StartNew();
        if (embedded)
        {
            var (trainImages, trainLabels) = data.Train.Load(options.ImageSize);
            EmbeddedTraining.Run(model, trainImages, trainLabels, options, device, output, cancellation);
            model.eval();
            torchscript.save(model, FineTunedPath, Classifier.Input(images[..2], device));
        }
        else
        {
            ranks.Run(options.Processes, Arguments(data.Train.Folder), cancellation);
            torchscript.load_weights(model, FineTunedPath);
        }

        Report(data, before, Classifier.Accuracy(model, images, labels, device), clock.Elapsed);
    }

    private string[] Arguments(string trainFolder) =>
    [
        "--model", ModelPath, "--data", trainFolder, "--out", FineTunedPath, "--epochs", Text(options.Epochs), "--batch-size", Text(options.BatchSize),
        "--lr", Text(options.LearningRate), "--seed", Text(options.Seed), "--image-size", Text(options.ImageSize.Height), Text(options.ImageSize.Width),
    ];

    private void Report(Split data, double before, double after, TimeSpan time)
    {
        var table = new Table().AddColumns("held-out images", "accuracy before", "accuracy after");
        table.AddRow(Text(data.Val.Count), Share(before), Share(after));
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);
        var where = embedded ? "in this process" : $"by finetune.py, processes: {options.Processes}";
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{data.Train.Count} images, {options.Epochs} epochs {where}: {time.TotalSeconds:0.0} s. {FineTunedPath} is the fine-tuned model."));

        static string Share(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
    }

    /// <summary>The drawn pictures, which appear under their name when all are there.</summary>
    private string Draw()
    {
        var (partial, pictures) = (Path.Combine(folder, ".pictures"), Path.Combine(folder, "pictures"));
        try
        {
            HouseFronts.Write(partial, TrainPerClass, ValPerClass, options.Seed, cancellation);
            Directory.Move(partial, pictures);
            return pictures;
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
