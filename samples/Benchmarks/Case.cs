using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>One operator on one input, here and in Python.</summary>
/// <param name="Name">Shown in the table, and what --filter looks into.</param>
/// <param name="Inputs">The tensors by the names that <paramref name="Reference"/> has for them; the first takes the gradient. Made
/// when the case runs.</param>
/// <param name="Ours">The operator on the inputs in their order.</param>
/// <param name="Reference">The same as a Python expression over the inputs, torch, F (torch.nn.functional) and ops (torchvision.ops).</param>
/// <param name="Backward">Whether the gradient is timed, too.</param>
internal sealed record Case(string Name, Func<(string Name, Tensor Value)[]> Inputs, Func<Tensor[], Tensor> Ours, string Reference, bool Backward);

/// <summary>Times of one case in milliseconds, a round each.</summary>
/// <param name="Missing">Why there are no reference times.</param>
internal sealed record Measured(string Name, IReadOnlyList<double> Ours, IReadOnlyList<double> Reference, string? Missing)
{
    /// <summary>How many times as long as the reference, by the medians.</summary>
    public double? Ratio => Reference.Count > 0 ? Median(Ours) / Median(Reference) : null;

    public static double Median(IReadOnlyList<double> times)
    {
        var sorted = times.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
