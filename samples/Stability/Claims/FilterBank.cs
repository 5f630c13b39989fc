using TorchPooling;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>A network of the notes' figure: some filters, and the maximum over them.</summary>
/// <param name="Range">The glyphs are turned by up to so many degrees, either way.</param>
/// <param name="Filters">How many are learned.</param>
/// <param name="Tied">Whether a filter is turned by quarters, not learned anew.</param>
internal sealed record FilterBank(string Name, int Range, int Filters, bool Tied = false)
{
    private const int Steps = 36;

    /// <summary>The figure's: three filters, 5s that lean either way.</summary>
    public static FilterBank Figure { get; } = new("three filters, Maxout", 60, 3);

    /// <summary>Three filters for 5s turned anywhere, as the notes have it.</summary>
    public static FilterBank Anywhere { get; } = new("three filters, Maxout", 180, 3);

    public static IReadOnlyList<FilterBank> All { get; } =
    [
        new("one filter", 60, 1), Figure, new("one filter in four turns, RotationMaxConv2d", 60, 1, Tied: true),
        new("one filter", 180, 1), Anywhere, new("six filters, Maxout", 180, 6), new("one filter in four turns, RotationMaxConv2d", 180, 1, Tied: true),
    ];

    public string Turns => Range == 180 ? "anywhere" : $"by up to {Range}°";

    /// <summary>Degrees at which it is tested, over its range.</summary>
    public IReadOnlyList<double> Angles => [.. Enumerable.Range(0, Steps + (Range == 180 ? 0 : 1)).Select(i => -Range + (2.0 * Range * i / Steps))];

    public (nn.Module<Tensor, Tensor> Filters, nn.Module<Tensor, Tensor> Maximum) Layers(int kernel) =>
        (Tied ? new RotationMaxConv2d(1, Filters, kernel) : nn.Conv2d(1, Filters, kernel), new Maxout(Filters));
}
