namespace Benchmarks;

internal static class Goals
{
    private static readonly string[] Windows = ["PowerPool2d", "SoftPool2d", "StochasticPool2d", "CenterWeightedAvgPool2d"];

    /// <summary>What the library wants to reach, on two CPU cores.</summary>
    public static IEnumerable<Goal> All { get; } =
    [
        Goal.Near("NetVLAD", "two products", 1.15, Forward, "NetVLAD forward / its two matrix products"),
        Goal.Near("NetVLAD", "two products", 1.15, Backward, "NetVLAD with gradient / its two matrix products"),
        Goal.Faster("NetVLAD", "loop", 12, Forward, "a loop over clusters / NetVLAD forward"),
        Goal.Faster("NetVLAD", "loop", 10, Backward, "a loop over clusters / NetVLAD with gradient"),
        Goal.Faster("NetVLAD", "residual tensor", 30, Forward, "the residual tensor / NetVLAD forward"),
        Goal.Faster("NetVLAD", "residual tensor", 10, Backward, "the residual tensor / NetVLAD with gradient"),
        Memory("NetVLAD", 2, "NetVLAD in training, memory beyond the input and its gradient / the input", Backward),
        Goal.Faster("SpatialPyramidPool2d", "a pool per level", 3, at => Forward(at) && !at.ChannelsLast, "a pool per level / SPP forward, contiguous"),
        Goal.Faster("SpatialPyramidPool2d", "a pool per level", 1, at => Forward(at) && at.ChannelsLast, "a pool per level / SPP forward, channels-last"),
        Goal.Faster("SpatialPyramidPool2d", "a pool per level", 2, at => Backward(at) && !at.ChannelsLast, "a pool per level / SPP with gradient, contiguous"),
        Goal.Faster("SpatialPyramidPool2d", "a pool per level", 1, at => Backward(at) && at.ChannelsLast, "a pool per level / SPP with gradient, channels-last"),
        Goal.Faster("VggBackbone", "plain modules", 1.3, Forward, "plain modules / VggBackbone with its pooling, inference"),
        Goal.Faster("VggBackbone", "plain modules", 1.3, Backward, "plain modules / VggBackbone with its pooling, training step"),
        Goal.Faster("RoIAlign", "a loop over boxes", 20, Any, "a loop over boxes / RoIAlign"),
        Goal.Faster("RoIPool", "a loop over boxes", 20, Any, "a loop over boxes / RoIPool"),
        .. Windows.Select(name => Goal.Faster(name, "unfold", 2, Any, $"the unfold form / {name}")),
        .. Windows.Select(name => Memory(name, 3, $"{name}, memory beyond the input and its gradient / the input", Any)),
        new("time of one module call beyond libtorch's, µs", 5, true, results => results.Overhead.Select(item => new Judged(item.Name, item.Microseconds))),
        new("managed bytes of one module call beyond libtorch's", 1024, true, results => results.Overhead.Select(item => new Judged(item.Name, item.Bytes))),
        new("exponents of time", 1.05, true, results => results.Growth.Select(item => new Judged(item.Series.Name, item.Time))),
        new("exponents of memory", 1.05, true, results => results.Growth.Select(item => new Judged(item.Series.Name, item.Memory))),
    ];

    private static bool Forward(Setting at) => !at.Backward;

    private static bool Backward(Setting at) => at.Backward;

    private static bool Any(Setting at) => true;

    private static Goal Memory(string @operator, double most, string text, Func<Setting, bool> where) => new(text, most, true, results => results.Memory
        .Where(item => item.Case.Operator.StartsWith(@operator, StringComparison.Ordinal) && where(item.Case.Setting))
        .Select(item => new Judged(item.Case.Name, item.Ratio - (item.Case.Setting.Backward ? 1 : 0))));
}
