using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>The notes' example of translation, by the layers themselves, and how often it holds.</summary>
internal static class TranslationExample
{
    /// <param name="Input">A row of numbers.</param>
    /// <param name="Max">Maximum of each window of <see cref="Window"/>.</param>
    /// <param name="Mean">Mean of each.</param>
    internal sealed record Row(string What, float[] Input, float[] Max, float[] Mean);

    /// <param name="Measured">Share of windows of a random row that keep their maximum when the row moves by one.</param>
    /// <param name="Expected">(k − 1)/(k + 1): of the k + 1 numbers seen before or after, the largest is at neither end.</param>
    internal sealed record Share(int Window, double Measured, double Expected);

    public const int Window = 3;

    private const int Windows = 100_000;
    private const int Seed = 3;

    /// <summary>The example, one step more, and the example in a longer row.</summary>
    public static IReadOnlyList<Row> Rows() =>
    [
        Of("the example", 1, 5, 3),
        Of("a step to the right", 0, 1, 5),
        Of("two steps", 0, 0, 1),
        Of("in a row of two windows", 1, 5, 3, 0, 0, 0),
        Of("a step to the right", 0, 1, 5, 3, 0, 0),
        Of("two steps", 0, 0, 1, 5, 3, 0),
    ];

    /// <summary>Rows of independent random numbers.</summary>
    public static IReadOnlyList<Share> Shares() => [.. new[] { 2, 3, 4, 6 }.Select(Unchanged)];

    private static Share Unchanged(int window)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(Seed);
        var row = rand([1, 1, (window * Windows) + 1], generator: generator);
        var pool = nn.MaxPool1d(window);
        var (moved, still) = (pool.call(row.narrow(2, 0, window * Windows)), pool.call(row.narrow(2, 1, window * Windows)));
        return new(window, (moved == still).to(ScalarType.Float64).mean().item<double>(), (window - 1.0) / (window + 1));
    }

    private static Row Of(string what, params float[] input)
    {
        using var scope = NewDisposeScope();
        var x = tensor(input).view(1, 1, -1);
        return new(what, input, [.. nn.MaxPool1d(Window).call(x).data<float>()], [.. nn.AvgPool1d(Window).call(x).data<float>()]);
    }
}
