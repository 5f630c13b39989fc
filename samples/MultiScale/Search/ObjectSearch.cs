using System.Diagnostics;
using MultiScale.Data;
using MultiScale.Model;
using TorchPooling;
using static TorchSharp.torch;

namespace MultiScale.Search;

/// <summary>How one map for all boxes compares with a run of the network for each.</summary>
/// <param name="Boxes">Of a scene.</param>
/// <param name="MapSeconds">A scene by one map.</param>
/// <param name="CropSeconds">A scene crop by crop, the crops of a size in batches.</param>
/// <param name="Ratios">Crops to map, of each round, in which both ran one after the other; ascending.</param>
/// <param name="WholeDifference">Largest of the scores of a whole scene as a box to those of it as a picture: there nothing is cut.</param>
internal sealed record MapAgainstCrops(
    int Boxes, double MapSeconds, double CropSeconds, IReadOnlyList<double> Ratios, Agreement Agreement, double WholeDifference)
{
    /// <summary>The median.</summary>
    public double Ratio => Ratios[Ratios.Count / 2];
}

/// <summary>Finds objects: scores of a sliding set of boxes over one map of the scene, then non-maximum suppression.</summary>
/// <param name="network">With the class of the ground as its last.</param>
internal sealed class ObjectSearch(SppNet network, SearchBudget budget, Device device, CancellationToken cancellation)
{
    private const double Faintest = 0.05;   // probability of an object that is looked at
    private const int CropsPerBatch = 256;
    private const int Rounds = 5;   // odd, for their median

    private readonly SlidingBoxes boxes = new(budget.Height, budget.Width, SearchBudget.BoxSizes, Method.Stride);

    /// <summary>Every object that is at least faintly sure, the surest first.</summary>
    public List<Detection> Find(Scene scene)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var scores = OneMap(scene.Image.to(device), SlidingBoxes.Rows(boxes.All).to(device));
        var objects = scores.narrow(1, 0, scores.size(1) - 1);
        var (values, indices) = objects.max(1);
        var (sure, labels) = (values.cpu().data<float>().ToArray(), indices.cpu().data<long>().ToArray());
        return Detection.Best(boxes.All.Select((box, i) => new Detection((int)labels[i], box, sure[i])).Where(found => found.Score >= Faintest));
    }

    /// <summary>The time of both ways, and how far their answers agree.</summary>
    public MapAgainstCrops Compare(Scene scene)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var image = scene.Image.to(device);
        var rows = SlidingBoxes.Rows(boxes.All).to(device);
        var (map, crops) = (OneMap(image, rows), EachCrop(image));   // the first run of both, which is not timed
        var times = Enumerable.Range(0, Rounds).Select(_ => (Map: Seconds(() => OneMap(image, rows)), Crops: Seconds(() => EachCrop(image)))).ToList();

        var whole = SlidingBoxes.Rows([new Box(0, 0, budget.Width, budget.Height)]).to(device);
        return new(
            boxes.All.Length, Median(times.Select(time => time.Map)), Median(times.Select(time => time.Crops)),
            [.. times.Select(time => time.Crops / time.Map).Order()], Agreement.Of(map, crops),
            (network.forward(image, whole) - network.call(image)).abs().max().item<float>());
    }

    private Tensor OneMap(Tensor image, Tensor rows) => network.forward(image, rows).softmax(1);

    private Tensor EachCrop(Tensor image) => cat([.. boxes.Crops(image).SelectMany(crops => crops.split(CropsPerBatch)).Select(batch =>
    {
        cancellation.ThrowIfCancellationRequested();
        return network.call(batch).softmax(1);
    })]);

    private static double Seconds(Func<Tensor> run)
    {
        using var scope = NewDisposeScope();
        var clock = Stopwatch.StartNew();
        run().cpu();
        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}
