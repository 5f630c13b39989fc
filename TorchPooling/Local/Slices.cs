using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A pool of windows treats each image and each channel by itself, so that it may work through a batch bit by bit.</summary>
/// <remarks>On a CPU a slice stays in its cache, and training does not hold several gradients of the whole batch at once; a whole
/// batch would get fresh pages of memory for each intermediate result, which takes longer than to compute it. What is drawn is the
/// same as of the whole: slices follow each other as the numbers of the map do.</remarks>
internal static class Slices
{
    /// <summary>How many numbers of a map a slice holds, unless a single channel, or image in channels-last order, has more.</summary>
    public const long Numbers = 1_500_000;

    /// <summary>What a pool gives for a map (N, C, H, W), a number of images at a time, or of channels where an image is large.</summary>
    public static Tensor Of(Tensor x, Func<Tensor, Tensor> pool)
    {
        Check.FeatureMap(x);
        if (x.device_type != DeviceType.CPU || x.numel() <= Numbers)
        {
            return pool(x);
        }

        using var scope = NewDisposeScope();
        var image = x.numel() / x.size(0);
        if (image <= Numbers || !x.is_contiguous())
        {
            return Each(x, Math.Max(1, Numbers / image), 0).MoveToOuterDisposeScope();
        }

        var channels = x.flatten(0, 1).unsqueeze(0);
        var y = Each(channels, Math.Max(1, Numbers / (x.size(2) * x.size(3))), 1);
        return y.view(x.size(0), x.size(1), y.size(2), y.size(3)).MoveToOuterDisposeScope();

        Tensor Each(Tensor map, long count, int axis) => cat([.. map.split(count, dim: axis).Select(pool)], axis);
    }

    /// <summary>The same in TorchScript, as <c>forward</c> over <c>self.pool(x)</c>.</summary>
    public static readonly string Script =
        $"""
        def forward(self, x: Tensor) -> Tensor:
            if x.device.type != "cpu" or x.numel() <= {Numbers}:
                return self.pool(x)
            image = x.numel() // x.size(0)
            if image <= {Numbers} or not x.is_contiguous():
                return self.each(x, max(1, {Numbers} // image), 0)
            channels = x.flatten(0, 1).unsqueeze(0)
            y = self.each(channels, max(1, {Numbers} // (x.size(2) * x.size(3))), 1)
            return y.view([x.size(0), x.size(1), y.size(2), y.size(3)])

        def each(self, x: Tensor, count: int, axis: int) -> Tensor:
            pooled: List[Tensor] = []
            for part in x.split(count, axis):
                pooled.append(self.pool(part))
            return torch.cat(pooled, axis)


        """;
}
