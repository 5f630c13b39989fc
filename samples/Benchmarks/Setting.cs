using TorchSharp;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>One input of an operator: a map (N, C, H, W), its layout, dtype and device, and whether the gradient is timed, too.</summary>
internal sealed record Setting(long N, long C, long H, long W)
{
    public bool Backward { get; init; }

    public bool ChannelsLast { get; init; }

    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    public Device Device { get; init; } = CPU;

    /// <summary>The map: normal numbers, the same for each call.</summary>
    public Tensor Map()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var x = randn([N, C, H, W], generator: generator).to(Dtype).to(Device);
        return (ChannelsLast ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x).MoveToOuterDisposeScope();
    }

    /// <summary>What the map takes.</summary>
    public long Bytes => N * C * H * W * Dtype.ElementSize();

    /// <summary>The same forward, and with its gradient.</summary>
    public IEnumerable<Setting> Both() => [this, this with { Backward = true }];

    public override string ToString() => string.Concat(
        $"{N}×{C}×{H}×{W}", ChannelsLast ? ", channels-last" : "", Dtype == ScalarType.Float32 ? "" : $", {Dtype}", Backward ? ", with gradient" : "");
}
