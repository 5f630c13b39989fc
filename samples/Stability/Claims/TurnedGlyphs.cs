using TorchSharp;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>The notes' figure: learned filters and a maximum over them find a 5, however it is turned.</summary>
/// <param name="Accuracy">Share of right answers, 5 or not, to pictures that it did not learn from.</param>
/// <param name="Tuning">Mean answer of each filter, and last of their maximum, to a 5 at every angle of <see cref="FilterBank.Angles"/>, in
/// standard deviations of its answers to other glyphs, from their mean.</param>
/// <param name="Found">Share of the 5s that each filter, and last the maximum, finds with one false alarm in twenty.</param>
/// <param name="Worst">The same at the angle where it is smallest.</param>
/// <param name="Wins">Share of the 5s to which each filter's answer is the largest.</param>
/// <param name="Weights">The filters, (Filters, k, k).</param>
internal sealed record TurnedGlyphs(
    FilterBank Bank, int Seed, long Parameters, double Accuracy, IReadOnlyList<double[]> Tuning, double[] Found, double[] Worst, double[] Wins, Tensor Weights)
{
    private const int Kernel = 21;
    private const double FalseAlarms = 0.05;
    private const double LearningRate = 0.01;
    private const double WeightDecay = 0.01;
    private const int BatchSize = 128;

    /// <summary>Share of the 5s from which on a filter is not idle.</summary>
    public const double Used = 0.05;

    /// <summary>The angle of each filter's largest mean answer.</summary>
    public double[] Preferred => [.. Tuning.SkipLast(1).Select(curve => Bank.Angles[Array.IndexOf(curve, curve.Max())])];

    /// <summary>Filters that are not idle.</summary>
    public int InUse => Wins.Count(share => share >= Used);

    /// <summary>Degrees between the two filters in use that are closest; NaN of one filter.</summary>
    public double Apart
    {
        get
        {
            var used = Preferred.Where((_, i) => Wins[i] >= Used).ToList();
            return used.SelectMany((a, i) => used.Skip(i + 1).Select(b => Math.Min(Math.Abs(a - b), 360 - Math.Abs(a - b)))).DefaultIfEmpty(double.NaN).Min();
        }
    }

    /// <param name="advance">Takes the share that was just done.</param>
    public static List<TurnedGlyphs> Measure(IEnumerable<int> seeds, bool quick, Device device, Action<double> advance, CancellationToken cancellation)
    {
        var (pictures, epochs) = quick ? (128, 2) : (4000, 20);
        var all = seeds.ToList();
        var found = new List<TurnedGlyphs>();
        foreach (var bank in FilterBank.All)
        {
            foreach (var seed in all)
            {
                found.Add(One(bank, seed, pictures, epochs, device, cancellation));
                advance(1.0 / (all.Count * FilterBank.All.Count));
            }
        }

        return found;
    }

    private static TurnedGlyphs One(FilterBank bank, int seed, int pictures, int epochs, Device device, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        Devices.Seed(seed);
        var (filters, maximum) = bank.Layers(Kernel);
        using var network = nn.Sequential(filters, maximum, nn.AdaptiveMaxPool2d([1, 1]), nn.Flatten(0));
        network.to(device);
        var (images, isFirst) = OnDevice(Glyphs.Draw(pictures, bank.Range, seed), device);
        Train(network, images, isFirst, epochs, new Random(seed), cancellation);

        using var none = no_grad();
        var (tests, answers) = OnDevice(Glyphs.Draw(pictures / 2, bank.Range, seed + 1000), device);
        var accuracy = ((network.call(tests) > 0) == (answers > 0)).to(ScalarType.Float64).mean().item<double>();
        var others = Answers(tests.index_select(0, (answers == 0).nonzero().view(-1)));
        var repeats = Math.Max(2, pictures / 100);
        var turned = Answers(Glyphs.Turned(bank.Angles, repeats, seed + 2000).to(device));
        var wins = Enumerable.Range(0, bank.Filters).Select(i => (turned.narrow(0, 0, bank.Filters).argmax(0) == i).to(ScalarType.Float64).mean().item<double>());
        turned = turned.view(-1, bank.Angles.Count, repeats);   // (filters + 1, angles, repeats)
        var tuning = ((turned.mean([2]) - others.mean([1]).unsqueeze(1)) / others.std(1).unsqueeze(1)).to(ScalarType.Float64).cpu();
        var alarm = others.quantile(tensor(1 - FalseAlarms, dtype: others.dtype, device: device), 1, true).view(-1, 1, 1);
        var found = (turned > alarm).to(ScalarType.Float64).mean([2]).cpu();
        return new(
            bank, seed, network.parameters().Sum(weight => weight.numel()), accuracy,
            [.. Enumerable.Range(0, bank.Filters + 1).Select(i => tuning[i].data<double>().ToArray())],
            [.. found.mean([1]).data<double>()], [.. found.amin([1]).data<double>()], [.. wins],
            filters.parameters().First().detach().cpu().clone().view(bank.Filters, Kernel, Kernel).DetachFromDisposeScope());

        // Each filter at its best place, and last the largest of them.
        Tensor Answers(Tensor x) => cat([filters.call(x).flatten(2).amax([2]).t(), network.call(x).unsqueeze(0)]);
    }

    private static (Tensor Images, Tensor Answers) OnDevice((Tensor Images, Tensor Answers) drawn, Device device) =>
        (drawn.Images.to(device), drawn.Answers.to(device));

    private static void Train(nn.Module<Tensor, Tensor> network, Tensor images, Tensor answers, int epochs, Random dice, CancellationToken cancellation)
    {
        using var optimizer = optim.AdamW(network.parameters(), LearningRate, weight_decay: WeightDecay);
        var order = Enumerable.Range(0, (int)images.size(0)).Select(i => (long)i).ToArray();
        var steps = Math.Max(1, order.Length / BatchSize);
        for (var step = 0; step < epochs * steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            if (step % steps == 0)
            {
                dice.Shuffle(order);
            }

            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = OneCycle.Rate((step + 0.5) / (epochs * steps), LearningRate);
            }

            var numbers = tensor(order.AsSpan(step % steps * BatchSize, Math.Min(BatchSize, order.Length)).ToArray()).to(images.device);
            optimizer.zero_grad();
            nn.functional.binary_cross_entropy_with_logits(network.call(images.index_select(0, numbers)), answers.index_select(0, numbers)).backward();
            optimizer.step();
        }
    }
}
