using static TorchSharp.torch;

namespace TorchPooling;

/// <content>Agreement of decisions.</content>
public static partial class stability
{
    private const long Undecided = -1;

    /// <summary>How often a classifier decides alike for two shifts of the same image.</summary>
    /// <remarks>
    /// <para>c = P(argmaxₖ f(S_a x)ₖ = argmaxₖ f(S_b x)ₖ), over the images and two independent shifts a = (dy, dx) and b, uniform on
    /// {0, …, max_shift}² (they may be the same): the consistency of Zhang: Making Convolutional Networks Shift-Invariant Again, ICML 2019,
    /// whose published evaluation draws one pair a batch and crops 224×224 from 256×256 at offsets below 32 (<c>max_shift: 31</c>,
    /// <c>wrap: false</c> is nearest to it). Here every image has pairs of its own, or all pairs count.</para>
    /// <para>The classifier runs in the mode it is in, without gradients: call <c>eval()</c> first. Scores of NaN decide nothing: c is NaN.</para>
    /// </remarks>
    /// <param name="classifier">Gives scores (N, K), K ≥ 1.</param>
    /// <param name="images">Shape (N, C, H, W), N ≥ 1; not changed.</param>
    /// <param name="max_shift">The largest shift, in pixels, 1 to min(H, W) − 1.</param>
    /// <param name="wrap">Whether images are shifted circularly; else the classifier sees windows of (H − max_shift, W − max_shift) pixels,
    /// none of them invented.</param>
    /// <param name="pairs">Pairs that are drawn for every image, by two runs each. Null, or as many as would take no fewer runs: c over all
    /// pairs, exactly and without a draw, by (max_shift + 1)² runs.</param>
    /// <param name="generator">Where the draws come from, always on the CPU; the global generator where null.</param>
    /// <exception cref="ArgumentException"><paramref name="images"/> are none, <paramref name="classifier"/> gives another shape, or
    /// <paramref name="generator"/> is disposed or not of the CPU.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="max_shift"/> or <paramref name="pairs"/> is out of its range.</exception>
    public static double shift_consistency(
        nn.Module<Tensor, Tensor> classifier, Tensor images, long max_shift, bool wrap = true, long? pairs = null, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        Check.FeatureMap(images, nameof(images));
        if (images.size(0) == 0)
        {
            throw new ArgumentException($"expected images, got {Check.Shape(images)}", nameof(images));
        }

        Check.Range(max_shift, 1, Math.Min(images.size(2), images.size(3)) - 1, nameof(max_shift));
        Check.Range(pairs ?? 1, 1, long.MaxValue, nameof(pairs));
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var cpu = empty(0);
        Check.Generator(generator, cpu);
        return pairs < ((max_shift + 1) * (max_shift + 1) + 1) / 2
            ? Drawn(classifier, images, max_shift, wrap, pairs.Value, generator)
            : Exact(classifier, images, max_shift, wrap);
    }

    /// <summary>Mean over the images of Σₖ (share of the shifts that are decided as k)².</summary>
    private static double Exact(nn.Module<Tensor, Tensor> classifier, Tensor images, long most, bool wrap)
    {
        var seen = new Dictionary<(int Image, long Decision), long>();
        for (var shift = 0L; shift < (most + 1) * (most + 1); shift++)
        {
            using var step = NewDisposeScope();
            var decisions = Decide(classifier, Shifted(images, shift / (most + 1), shift % (most + 1), most, wrap));
            for (var i = 0; i < decisions.Length; i++)
            {
                if (decisions[i] == Undecided)
                {
                    return double.NaN;
                }

                seen[(i, decisions[i])] = seen.GetValueOrDefault((i, decisions[i])) + 1;
            }
        }

        return seen.Values.Sum(times => Math.Pow(times / Math.Pow(most + 1, 2), 2)) / images.size(0);
    }

    private static double Drawn(nn.Module<Tensor, Tensor> classifier, Tensor images, long most, bool wrap, long pairs, Generator? generator)
    {
        var count = images.size(0);
        var alike = 0L;
        for (var pair = 0L; pair < pairs; pair++)
        {
            using var step = NewDisposeScope();
            var shifts = randint(0, most + 1, [4 * count], dtype: ScalarType.Int64, generator: generator).data<long>().ToArray();
            var (one, other) = (Decisions(0), Decisions(2 * count));
            if (one.Concat(other).Contains(Undecided))
            {
                return double.NaN;
            }

            alike += one.Zip(other).LongCount(two => two.First == two.Second);

            long[] Decisions(long first) => Decide(classifier, cat([.. Enumerable.Range(0, (int)count).Select(i =>
                Shifted(images.narrow(0, i, 1), shifts[first + 2 * i], shifts[first + 2 * i + 1], most, wrap))]));
        }

        return alike / ((double)pairs * count);
    }

    private static Tensor Shifted(Tensor x, long dy, long dx, long most, bool wrap) => wrap
        ? x.roll([dy, dx], [2, 3])
        : x.narrow(2, most - dy, x.size(2) - most).narrow(3, most - dx, x.size(3) - most).clone();   // a layer may work in place

    /// <summary>The class of every image, or <see cref="Undecided"/>.</summary>
    private static long[] Decide(nn.Module<Tensor, Tensor> classifier, Tensor x)
    {
        var scores = classifier.call(x);
        if (scores is null || scores.dim() != 2 || scores.size(0) != x.size(0) || scores.size(1) == 0 || scores.is_complex())
        {
            var found = scores is null ? "null" : $"{scores.dtype} {Check.Shape(scores)}";
            throw new ArgumentException($"expected a classifier that gives scores ({x.size(0)}, K), got {found}", nameof(classifier));
        }

        return scores.argmax(1).masked_fill(scores.isnan().any(1), Held(Undecided)).cpu().data<long>().ToArray();
    }
}
