using TorchPooling;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Stability.Model;

/// <summary>Filters that start smooth: white noise under a Gaussian.</summary>
/// <remarks>The idea is that of Ruderman et al., arXiv 1804.04438, who start networks from random filters of several smoothnesses. What is done
/// here: noise of a wider window, the Gaussian normalised and cut at three σ, the middle of the result, so that no border is seen; scaled to
/// the root mean square that the layer's filters had.</remarks>
internal static class SmoothStart
{
    /// <param name="sigma">Pixels; 0 leaves the filters as they are.</param>
    public static void Apply(VggBackbone backbone, double sigma)
    {
        if (sigma == 0)
        {
            return;
        }

        // The blocks' own convolutions first, those inside their poolings after them: the former are the same whatever the pooling.
        using var none = no_grad();
        foreach (var conv in backbone.named_modules().OrderBy(item => item.name.Count(letter => letter == '.')).Select(item => item.module).OfType<Conv2d>())
        {
            using var scope = NewDisposeScope();
            var weight = conv.weight;
            weight.copy_(Filters(weight.shape, sigma) * weight.square().mean().sqrt());
        }
    }

    /// <summary>Smooth random filters of root mean square 1 over all.</summary>
    public static Tensor Filters(long[] shape, double sigma)
    {
        using var scope = NewDisposeScope();
        var reach = (long)Math.Ceiling(3 * sigma);
        var places = arange(-reach, reach + 1, dtype: ScalarType.Float32);
        var bell = (places.square() / (-2 * sigma * sigma)).exp();
        bell /= bell.sum();
        var noise = randn(shape[0] * shape[1], 1, shape[2] + (2 * reach), shape[3] + (2 * reach));
        var smooth = nn.functional.conv2d(nn.functional.conv2d(noise, bell.view(1, 1, -1, 1)), bell.view(1, 1, 1, -1)).view(shape);
        return (smooth / smooth.square().mean().sqrt()).MoveToOuterDisposeScope();
    }
}
