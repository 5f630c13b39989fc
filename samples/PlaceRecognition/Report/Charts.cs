using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using PlaceRecognition.Data;
using PlaceRecognition.Training;

namespace PlaceRecognition.Report;

/// <summary>The curves of a run as SVG, with text that the browser sets.</summary>
internal static class Charts
{
    private const int MostWithDashes = 5;

    /// <summary>Which colour is which pooling, as HTML.</summary>
    public static string Legend(IReadOnlyList<string> kinds) => "<p class=\"legend\">" + string.Concat(kinds.Select((kind, i) =>
        $"<span><i style=\"background:{Chart.Css(Color(i, kinds.Count))}\"></i>{kind}</span>")) + "</p>";

    public static string Loss(IReadOnlyList<PoolingProgress> poolings) =>
        Draw("Training loss", "epoch", "mean triplet loss of a query", double.NaN, poolings.Select((p, i) => Line(p.Loss, Color(i, poolings.Count))));

    public static string Validation(IReadOnlyList<PoolingProgress> poolings) =>
        Draw("Recall@5 on the validation split", "epoch", "recall@5", 1, poolings.Select((p, i) => Line(p.Validation.Select(v => v[1]), Color(i, poolings.Count))));

    /// <summary>Precision over recall of the first answers, given only where they are near enough.</summary>
    public static string PrecisionRecall(IReadOnlyList<PoolingProgress> poolings, PlaceSet test) => Draw(
        "Precision and recall of the first answer, as the distance allowed to it grows", "recall", "precision", 1, poolings.Select((p, i) =>
        {
            var line = new LineSeries { Color = Color(i, poolings.Count), StrokeThickness = 2 };
            var (precision, recall, _) = Retrieval.Recall.PrecisionRecall(p.FirstDistance, p.FirstRight, test);
            line.Points.AddRange(recall.Zip(precision, (x, y) => new DataPoint(x, y)));
            return line;
        }), 1);

    public static string Recall(IReadOnlyList<PoolingProgress> poolings) =>
        Draw(
            poolings.Count > MostWithDashes ? "Recall@N on the test split" : "Recall@N on the test split (dashed: untrained)",
            "N", "share of queries found within 25 m", 1,
            poolings.Select((p, i) => Line(p.Trained, Color(i, poolings.Count)))
                .Concat(poolings.Take(poolings.Count > MostWithDashes ? 0 : MostWithDashes)
                    .Select((p, i) => Line(p.Untrained, Color(i, poolings.Count), LineStyle.Dash))));

    private static OxyColor Color(int number, int count) => count <= Chart.Colors.Length
        ? Chart.Colors[number]
        : OxyColor.FromHsv((double)number / count, 1, number % 2 == 0 ? 0.85 : 0.5);

    private static LineSeries Line(IEnumerable<double> values, OxyColor color, LineStyle style = LineStyle.Solid)
    {
        var line = new LineSeries { Color = color, LineStyle = style, StrokeThickness = 2 };
        line.Points.AddRange(values.Select((value, i) => new DataPoint(i + 1, value)));
        if (line.Points.Count == 1)
        {
            line.MarkerType = MarkerType.Circle;
        }

        return line;
    }

    private static string Draw(string title, string x, string y, double top, IEnumerable<LineSeries> lines, double right = double.NaN)
    {
        var model = Chart.Model(title);
        model.Axes.Add(Chart.Axis<LinearAxis>(AxisPosition.Bottom, x, double.IsNaN(right) ? double.NaN : 0, right, 8));
        model.Axes.Add(Chart.Axis<LinearAxis>(AxisPosition.Left, y, 0, top, 20));
        foreach (var line in lines)
        {
            model.Series.Add(line);
        }

        return new SvgExporter { Width = 760, Height = 380, IsDocument = false }.ExportToString(model);
    }
}
