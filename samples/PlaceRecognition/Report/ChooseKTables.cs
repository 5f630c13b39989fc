using System.Globalization;
using PlaceRecognition.Training;
using Spectre.Console;

namespace PlaceRecognition.Report;

/// <summary>The trials as tables, on the terminal and in the page.</summary>
internal static class ChooseKTables
{
    private static readonly (string Title, (string Name, Func<KChoice, ClusterTrial, string> Value)[] Columns)[] Tables =
    [
        ("Starts of the clusters",
        [
            ("K", (_, trial) => $"{trial.Clusters}"),
            ("alpha", (_, trial) => Number(trial.Start.Alpha)),
            ("quantization error", (_, trial) => Number(trial.Start.QuantizationError)),
            ("used clusters", (_, trial) => Share(trial.Start.UsedClusters)),
            ("entropy", (_, trial) => Share(trial.Start.Entropy)),
            ("k-means, s", (_, trial) => Number(trial.StartSeconds)),
        ]),
        ("Recall on the validation split, within 25 m",
        [
            ("K", (_, trial) => $"{trial.Clusters}"),
            ("untrained @1/5/10", (_, trial) => Summary.Recalls(trial.Untrained, "/")),
            ("trained @1/5/10", (_, trial) => trial.Training is { } training ? Summary.Recalls(training.Trained, "/") : "–"),
            ("± @1", (choice, trial) => Share(choice.Error(trial.FirstRecall))),
            ("below the best @1", (choice, trial) => trial == choice.Best ? "" : $"{Share(choice.Lag(trial))} ± {Share(choice.LagError(trial))}"),
        ]),
        ("Cost",
        [
            ("K", (_, trial) => $"{trial.Clusters}"),
            ("numbers", (_, trial) => $"{trial.Dimensions}"),
            ("size, float32", (_, trial) => Size(trial.Bytes)),
            ("pooling, ms", (_, trial) => Milliseconds(trial.PoolingSeconds)),
            ("search, ms", (_, trial) => Milliseconds(trial.SearchSeconds)),
            ("best epoch", (_, trial) => trial.Training is { } training ? $"{training.BestEpoch + 1}" : "–"),
            ("training, s", (_, trial) => trial.Training is { } training ? Number(training.TrainSeconds) : "–"),
        ]),
    ];

    public static void Print(KChoice choice)
    {
        foreach (var (title, columns) in Tables)
        {
            var table = new Table().Title(title);
            foreach (var (name, _) in columns)
            {
                table.AddColumn(name, column => column.RightAligned());
            }

            foreach (var trial in choice.Trials)
            {
                table.AddRow([.. columns.Select(column => column.Value(choice, trial))]);
            }

            AnsiConsole.Write(table);
        }
    }

    /// <summary>The same tables; the chosen K stands out.</summary>
    public static string Html(KChoice choice) => string.Concat(Tables.Select(table =>
        $"<table>\n<caption>{table.Title}</caption>\n<tr>{string.Concat(table.Columns.Select(column => $"<th>{column.Name}</th>"))}</tr>\n"
        + string.Concat(choice.Trials.Select(trial =>
            $"<tr{(trial == choice.Chosen ? " class=\"best\"" : "")}>{string.Concat(table.Columns.Select(column => $"<td>{column.Value(choice, trial)}</td>"))}</tr>\n"))
        + "</table>\n"));

    public static string Size(int bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.##} KiB");

    public static string Milliseconds(double seconds) => Number(1000 * seconds);

    private static string Share(double share) => share.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Three digits that count.</summary>
    private static string Number(double value) => double.IsInfinity(value)
        ? "∞"
        : value.ToString(value >= 100 ? "0" : "G3", CultureInfo.InvariantCulture);
}
