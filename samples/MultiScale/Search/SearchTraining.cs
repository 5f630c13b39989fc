using MultiScale.Data;
using MultiScale.Model;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace MultiScale.Search;

/// <summary>Teaches a trained network to reject what is no object: a class more, learned from boxes of scenes.</summary>
/// <remarks>Boxes over one map, as in the search; which are objects and which ground goes by their IoU, as in
/// Girshick: Fast R-CNN, ICCV 2015, section 2.3. Of the boxes drawn those with the largest loss make the step: most ground is easy, as in
/// Shrivastava, Gupta, Girshick: Training Region-Based Object Detectors with Online Hard Example Mining, CVPR 2016.</remarks>
internal sealed class SearchTraining(Source source, SearchBudget budget, int seed, Device device, CancellationToken cancellation)
{
    private const double Object = 0.65;   // IoU from which a box shows an object; no object is farther from all boxes
    private const double Ground = 0.5;    // below which it shows ground: half an object is none
    private const double Near = 0.1;
    private const int HardShare = 4;   // of the boxes drawn, one in so many, the hardest, teaches
    private const double LearningRate = 0.005;
    private const double WeightDecay = 0.01;

    private readonly SlidingBoxes boxes = new(budget.TrainSide, budget.TrainSide, SearchBudget.BoxSizes, Method.Stride);

    /// <summary>A network that starts from this one's weights, and has the class of the ground behind its classes.</summary>
    /// <exception cref="UserException">The loss is no longer finite.</exception>
    public SppNet Run(SppNet trained, Action<double> onProgress, Action<string> say)
    {
        var classes = source.Train.Classes.Count;
        var network = Widened(trained, classes);
        try
        {
            Train(network, classes, onProgress, say);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private void Train(SppNet network, int classes, Action<double> onProgress, Action<string> say)
    {
        using var optimizer = optim.AdamW(network.parameters(), LearningRate, weight_decay: WeightDecay);
        var rng = new Random(seed);
        double sum = 0;
        network.train();
        for (var step = 0; step < budget.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = OneCycle.Rate((step + 0.5) / budget.Steps, LearningRate);
            }

            using var scope = NewDisposeScope();
            var (images, rows, labels) = Draw(step, classes, rng);
            var each = nn.functional.cross_entropy(network.forward(images.to(device), rows.to(device)), labels.to(device), reduction: nn.Reduction.None);
            var loss = each.topk((int)(each.size(0) / HardShare)).values.mean();
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            sum += FiniteLoss.Check(loss.item<float>(), $"search, step {step + 1}", LearningRate);
            onProgress(1);
            if ((step + 1) % budget.StepsPerLine == 0)
            {
                say(FormattableString.Invariant($"search             step {step + 1,4}  loss {sum / budget.StepsPerLine:0.000}"));
                sum = 0;
            }
        }

        network.eval();
    }

    private SppNet Widened(SppNet trained, int classes)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Devices.Seed(seed);
        var network = Method.Pyramid(Method.Backbone(), classes + 1);
        network.to(device);
        var (from, to) = (trained.state_dict(), network.state_dict());
        foreach (var (name, value) in to)
        {
            (name.StartsWith("classifier", StringComparison.Ordinal) ? value.narrow(0, 0, classes) : value).copy_(from[name]);
        }

        return network;
    }

    /// <summary>Scenes and boxes of them: a quarter objects, as far as there are, a quarter beside objects, the others anywhere on the ground.</summary>
    private (Tensor Images, Tensor Rows, Tensor Labels) Draw(int step, int classes, Random rng)
    {
        var (images, rows, labels) = (new List<Tensor>(), new List<Tensor>(), new List<long>());
        for (var i = 0; i < budget.ScenesPerStep; i++)
        {
            var scene = source.Scene(budget.TrainSide, budget.TrainSide, budget.TrainObjects, training: true, (step * budget.ScenesPerStep) + i);
            var judged = boxes.All.Select(box => (Box: box, Best: Best(scene, box))).ToArray();
            rng.Shuffle(judged);
            var quarter = budget.BoxesPerScene / 4;
            var drawn = judged.Where(item => item.Best.IoU >= Object).Take(quarter)
                .Concat(judged.Where(item => item.Best.IoU is < Ground and >= Near).Take(quarter))
                .Concat(judged.Where(item => item.Best.IoU < Near).Take(2 * quarter)).ToList();
            images.Add(scene.Image);
            rows.Add(SlidingBoxes.Rows([.. drawn.Select(item => item.Box)], i));
            labels.AddRange(drawn.Select(item => item.Best.IoU >= Object ? item.Best.Label : (long)classes));
        }

        return (cat(images), cat(rows), tensor(labels));
    }

    private static (double IoU, int Label) Best(Scene scene, Box box) =>
        scene.Objects.Count == 0 ? (0, 0) : scene.Objects.Select(item => (item.Box.IoU(box), item.Label)).Max();
}
