using static TorchSharp.torch;

namespace Experiments.Training;

/// <summary>What a classifier says to the pictures of a test.</summary>
/// <param name="Labels">The class with the largest score, for each picture.</param>
/// <param name="Correct">Whether it is the picture's own.</param>
/// <param name="Confidence">The probability that the network gives to it.</param>
internal sealed record Predictions(long[] Labels, bool[] Correct, float[] Confidence)
{
    private const int BatchSize = 250;

    /// <summary>Share of right answers.</summary>
    public double Accuracy => (double)Correct.Count(correct => correct) / Correct.Length;

    /// <summary>Of <see cref="Accuracy"/>, for as many pictures.</summary>
    public double Error => Report.StandardError.OfShare(Accuracy, Correct.Length);

    /// <param name="network">In eval mode.</param>
    /// <param name="labels">The right answers, shape (N).</param>
    /// <param name="images">From the numbers of pictures to the pictures.</param>
    public static Predictions Of(nn.Module<Tensor, Tensor> network, Tensor labels, Func<Tensor, Tensor> images, CancellationToken cancellation)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (answers, confidence) = (new List<long>(), new List<float>());
        for (long first = 0; first < labels.size(0); first += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            var batch = images(arange(first, Math.Min(first + BatchSize, labels.size(0))));
            var (values, indices) = network.call(batch).softmax(1).max(1);
            answers.AddRange(indices.cpu().data<long>());
            confidence.AddRange(values.cpu().data<float>());
        }

        var correct = labels.cpu().data<long>().Zip(answers, (expected, got) => expected == got);
        return new([.. answers], [.. correct], [.. confidence]);
    }
}
