using MultiScale.Data;
using MultiScale.Model;
using static TorchSharp.torch;

namespace MultiScale.Training;

/// <summary>What a method reached.</summary>
/// <param name="Parameters">Numbers that it learned.</param>
/// <param name="TrainedSizes">The sizes of the pictures that it learned from, ascending, and how many it had in each, over all epochs.</param>
/// <param name="BySize">What it said to the test pictures of each size.</param>
/// <param name="Milliseconds">A picture of <see cref="Method.OneSize"/> pixels in the test, in batches.</param>
internal sealed record MethodResult(
    Method Method, long Parameters, IReadOnlyDictionary<int, long> TrainedSizes, TrainingCurve Curve, IReadOnlyDictionary<int, Predictions> BySize, double Milliseconds);

/// <summary>Trains every method on the same pictures as long, and tests it at every size.</summary>
/// <param name="epochDone">Called with the method's name and the number of its finished epochs.</param>
internal sealed class Comparison(
    Source source, RunOptions options, Budget budget, Device device, Action<string, int>? epochDone, CancellationToken cancellation)
{
    private const int TimedPictures = 100;

    /// <summary>The trained network and its result.</summary>
    public (nn.Module<Tensor, Tensor> Network, MethodResult Result) Run(Method method, Action<double> onProgress, Action<string> say)
    {
        var network = method.Network(source.Train.Classes.Count, options.Seed, device);
        try
        {
            return (network, Run(network, method, onProgress, say));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private MethodResult Run(nn.Module<Tensor, Tensor> network, Method method, Action<double> onProgress, Action<string> say)
    {
        var sizes = method.SeveralSizes ? options.TrainSizes : [Method.OneSize];
        var batches = new SizedBatches(source.Train, sizes, options.Draw, device);
        var curve = ClassifierTraining.Run(
            network, source.Train.Count, budget, batches.Of, onProgress,
            (epoch, loss) =>
            {
                say(FormattableString.Invariant($"{method.Name,-18} epoch {epoch,2}  loss {loss:0.000}"));
                epochDone?.Invoke(method.Name, epoch);
            },
            cancellation);
        var bySize = source.TestSizes.ToDictionary(size => size, size => Test(network, method, size));
        say($"{method.Name,-18} right " + string.Join("  ", bySize.Select(test => FormattableString.Invariant($"{test.Key}: {test.Value.Accuracy:0.000}"))));
        return new(method, network.parameters().Sum(parameter => parameter.numel()), batches.Seen, curve, bySize, Milliseconds(network));
    }

    private Predictions Test(nn.Module<Tensor, Tensor> network, Method method, int size) => Predictions.Of(
        network, source.Test.Labels, numbers => Shown(source.Test.Images(numbers, size), method).to(device), cancellation);

    /// <summary>What the network gets of test pictures.</summary>
    public static Tensor Shown(Tensor images, Method method) =>
        method.FixedSize && images.size(3) != Method.OneSize ? LabelledPictures.Resize(images, Method.OneSize) : images;

    private double Milliseconds(nn.Module<Tensor, Tensor> network)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var batch = source.Test.Images(arange(Math.Min(TimedPictures, source.Test.Count)), Method.OneSize).to(device);
        return 1000.0 / batch.size(0) * Timing.Median(() =>
        {
            using var one = NewDisposeScope();
            network.call(batch).cpu();
        });
    }
}
