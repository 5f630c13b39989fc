using System.CommandLine;
using System.Globalization;
using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Training;

namespace PlaceRecognition.Commands;

/// <summary>The command line: options in, exit code out (0 done, 1 something to mend, 130 stopped).</summary>
/// <param name="error">Takes the one line that says what to mend.</param>
internal sealed class Cli(TextWriter error)
{
    private const string RunsFolder = "runs";
    private const string Kept = "Stopped. Epochs with a checkpoint are kept: --resume goes on after the last.";

    private static readonly Option<string?> Data = CommandLine.Named<string?>(new("--data") { Description = "folder with images/{train,val,test}/{database,queries}/@utm_east@utm_north@….jpg; the drawn streets without it" });
    private static readonly Option<bool> SkipUnreadable = new("--skip-unreadable") { Description = "leave unreadable and misnamed pictures out" };
    private static readonly Option<bool> Quick = new("--quick") { Description = "the small world, and in training few epochs: shows in seconds that all runs, not what it can" };
    private static readonly Option<bool> HardQueries = new("--hard-queries") { Description = "of four queries of the drawn streets, in training too, one shows much sky, one much road, one is blurred" };
    private static readonly Option<string> Model = CommandLine.Named<string>(new("--model") { Description = "an exported model.pt", Required = true });

    private static readonly Option<string?> RunName = CommandLine.Named<string?>(new("--name") { Description = $"the run is kept in {RunsFolder}/NAME; the time of its start where not given" });
    private static readonly Option<string?> RunOutput = CommandLine.Named<string?>(new("--out") { Description = $"folder of the run, instead of {RunsFolder}/NAME" });
    private static readonly Option<int> Queries = new("--queries-per-epoch") { Description = "training queries of a pass [300; with --quick 40]" };
    private static readonly Option<string> Size = new("--image-size") { Description = $"HEIGHTxWIDTH that pictures are scaled to [{ImageSize.Default}]" };
    private static readonly Option<int> Seed = new("--seed") { Description = "of weights and draws [1]" };
    private static readonly Option<string> DeviceName = CommandLine.DeviceName();

    private readonly CommandLine line = new(error);

    /// <summary>Called with the pooling's name and the number of its finished epochs, after their checkpoint.</summary>
    public Action<string, int>? EpochDone { get; init; }

    public async Task<int> Run(string[] args, CancellationToken cancellation = default)
    {
        var root = Train();
        root.Subcommands.Add(ChooseK());
        root.Subcommands.Add(Evaluate());
        root.Subcommands.Add(Query());
        root.Subcommands.Add(Render());
        return await line.Invoke(root, args, cancellation);
    }

    private RootCommand Train()
    {
        var pooling = new Option<string>("--pooling") { Description = $"compared poolings, of {Pooling.Names}, or all; the first is exported [{string.Join(',', Pooling.Default)}]" };
        var resume = new Option<bool>("--resume") { Description = "go on with an interrupted run and its options: --out, --name, or the newest" };
        var epochs = new Option<int>("--epochs") { Description = "passes for each pooling [20; with --quick 2]" };
        var clusters = new Option<int>("--clusters") { Description = "K of the layers with clusters [8]" };
        var negatives = new Option<int>("--negatives") { Description = "hard negatives mined for a query [5]" };
        var rate = new Option<double>("--learning-rate") { Description = "of Adam, halved after each third of the epochs [0.0005]" };
        var root = new RootCommand("Learns to recognise places, and compares poolings at it.")
        {
            pooling, Data, SkipUnreadable, HardQueries, RunName, RunOutput, resume, Quick, epochs, Queries, clusters, negatives, rate, Size, Seed, DeviceName,
        };
        root.SetAction((parsed, cancellation) => line.Guard(() =>
        {
            var folder = Folder(parsed.GetValue(RunOutput), parsed.GetValue(RunName), parsed.GetValue(resume));
            var begun = parsed.GetValue(resume) ? Checkpoint.Load(Path.Combine(folder, TrainCommand.CheckpointName)) : null;
            var options = begun is null ? null : RunOptions.OfSettings(begun.Settings);
            var quick = CommandLine.Typed(parsed, Quick, options?.Quick ?? false);
            var training = options?.Training ?? Defaults(quick);
            new TrainCommand(
                new(
                    CommandLine.Typed(parsed, Data, options?.Data) is { } data ? Path.GetFullPath(data) : null,
                    CommandLine.Typed(parsed, SkipUnreadable, options?.SkipUnreadable ?? false),
                    quick,
                    CommandLine.Typed(parsed, HardQueries, options?.HardQueries ?? false),
                    ImageSize.Parse(CommandLine.Typed(parsed, Size, $"{options?.ImageSize ?? ImageSize.Default}")!),
                    new(
                        Pooling.Parse(CommandLine.Typed(parsed, pooling, string.Join(',', training.Poolings))!),
                        CommandLine.Typed(parsed, clusters, training.Clusters), CommandLine.Typed(parsed, epochs, training.Epochs), CommandLine.Typed(parsed, Queries, training.QueriesPerEpoch),
                        CommandLine.Typed(parsed, negatives, training.Negatives), CommandLine.Typed(parsed, rate, training.LearningRate), CommandLine.Typed(parsed, Seed, training.Seed))),
                folder, parsed.GetValue(DeviceName)!, begun, EpochDone, cancellation).Run();
        }, Kept));
        return root;
    }

    private static TrainingOptions Defaults(bool quick) => new(
        [.. Pooling.Default], Clusters: 8, Epochs: quick ? 2 : 20, QueriesPerEpoch: quick ? 40 : 300,
        Negatives: 5, LearningRate: 0.0005, Seed: 1);

    private Command ChooseK()
    {
        var clusters = new Option<string>("--clusters") { Description = "the numbers K that are compared", DefaultValueFactory = _ => "2,4,8,16,32,64" };
        var pooling = new Option<string>("--pooling") { Description = "a pooling whose clusters k-means starts, and that answers by one descriptor", DefaultValueFactory = _ => "netvlad" };
        var epochs = new Option<int>("--epochs") { Description = $"passes for each K; 0 measures the starts alone [{ChooseKCommand.Epochs}; with --quick 2]" };
        var command = new Command(
            "choose-k", "Measures how many clusters a pooling needs: for each K its start, recall, size and speed. Recall is that of the validation split; the test split is never touched.")
        {
            clusters, pooling, Data, SkipUnreadable, HardQueries, RunName, RunOutput, Quick, epochs, Queries, Size, Seed, DeviceName,
        };
        command.SetAction((parsed, cancellation) => line.Guard(
            () =>
            {
                var quick = parsed.GetValue(Quick);
                var training = Defaults(quick);
                new ChooseKCommand(
                    new(
                        parsed.GetValue(Data) is { } data ? Path.GetFullPath(data) : null,
                        parsed.GetValue(SkipUnreadable),
                        quick,
                        parsed.GetValue(HardQueries),
                        ImageSize.Parse(CommandLine.Typed(parsed, Size, $"{ImageSize.Default}")),
                        training with
                        {
                            Poolings = Pooling.Parse(parsed.GetValue(pooling)!),
                            Epochs = CommandLine.Typed(parsed, epochs, quick ? training.Epochs : ChooseKCommand.Epochs),
                            QueriesPerEpoch = CommandLine.Typed(parsed, Queries, training.QueriesPerEpoch),
                            Seed = CommandLine.Typed(parsed, Seed, training.Seed),
                        }),
                    ChooseKCommand.ParseClusters(parsed.GetValue(clusters)!),
                    Folder(parsed.GetValue(RunOutput), parsed.GetValue(RunName), resume: false), parsed.GetValue(DeviceName)!, EpochDone, cancellation).Run();
            }));
        return command;
    }

    private Command Evaluate()
    {
        var split = new Option<string>("--split") { Description = "train, val or test", DefaultValueFactory = _ => "test" };
        split.AcceptOnlyFromAmong("train", "val", "test");
        var command = new Command("evaluate", "Recall of an exported model on a data set.") { Model, Data, split, SkipUnreadable, HardQueries, Quick };
        command.SetAction((parsed, cancellation) => line.Guard(() => EvaluateCommand.Run(
            parsed.GetValue(Model)!, parsed.GetValue(Data), parsed.GetValue(split)!, parsed.GetValue(SkipUnreadable), parsed.GetValue(Quick),
            parsed.GetValue(HardQueries), cancellation)));
        return command;
    }

    private Command Query()
    {
        var database = CommandLine.Named(new Option<string>("--database") { Description = "folder of pictures named @utm_east@utm_north@….jpg", Required = true });
        var image = CommandLine.Named(new Option<string>("--image") { Description = "the picture that asks", Required = true });
        var output = CommandLine.Named(new Option<string>("--out") { Description = "picture of the answer", DefaultValueFactory = _ => "query.png" });
        var top = new Option<int>("--top") { Description = "answers", DefaultValueFactory = _ => 5 };
        var command = new Command("query", "The pictures of a folder that are nearest to one picture.") { Model, database, image, output, top, SkipUnreadable };
        command.SetAction((parsed, cancellation) => line.Guard(() => QueryCommand.Run(
            parsed.GetValue(Model)!, parsed.GetValue(database)!, parsed.GetValue(image)!, parsed.GetValue(output)!, parsed.GetValue(top),
            parsed.GetValue(SkipUnreadable), cancellation)));
        return command;
    }

    private Command Render()
    {
        var output = CommandLine.Named(new Option<string>("--out") { Description = "a new folder", Required = true });
        var size = new Option<string>("--image-size") { Description = "HEIGHTxWIDTH of the pictures", DefaultValueFactory = _ => "240x320" };
        var command = new Command("render", "Writes the drawn streets as image files.") { output, size, Quick, HardQueries };
        command.SetAction((parsed, cancellation) => line.Guard(() =>
            RenderCommand.Run(parsed.GetValue(output)!, ImageSize.Parse(parsed.GetValue(size)!), parsed.GetValue(Quick), parsed.GetValue(HardQueries), cancellation)));
        return command;
    }

    /// <summary>--out, else runs/NAME, else the newest run to resume, else a new one named by the time.</summary>
    private static string Folder(string? output, string? name, bool resume)
    {
        if (output is not null || name is not null)
        {
            return output ?? Path.Combine(RunsFolder, name!);
        }

        if (!resume)
        {
            return Path.Combine(RunsFolder, DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        }

        var runs = Directory.Exists(RunsFolder) ? Directory.GetFiles(RunsFolder, TrainCommand.CheckpointName, SearchOption.AllDirectories) : [];
        return runs.Length > 0
            ? Path.GetDirectoryName(runs.MaxBy(File.GetLastWriteTimeUtc))!
            : throw new UserException($"--resume: no run in {RunsFolder}");
    }
}
