using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>What a network's layers make of a change of its input that should not matter, and how smooth its filters are.</summary>
public static partial class stability
{
    /// <summary>The name of the images themselves among the layers of <see cref="sensitivity"/>.</summary>
    public const string Input = "(input)";

    /// <summary>The name of the network's output among the layers of <see cref="sensitivity"/>.</summary>
    public const string Output = "(output)";

    /// <summary>How far a change of the images moves the representations of each layer, in units of the distance of two different
    /// images: 0 is invariant, 1 as another image.</summary>
    /// <remarks>
    /// <para>s = mean over n of d(r(xₙ), r(T(xₙ))) / median over n &lt; m of d(r(xₙ), r(xₘ)), with d(a, b) = 1 − aᵀb/(‖a‖‖b‖) of the whole
    /// output of the layer for one image, flattened: the normalised cosine distance of Ruderman, Rabinowitz, Morcos, Zoran: Pooling is
    /// neither necessary nor sufficient for appropriate deformation stability in CNNs, arXiv 1804.04438, section 2.1, who take 128
    /// images, and the median over all their pairs. The median of an even number is the mean of the middle two. In float64, with an
    /// absolute error of about 1e-15 in d.</para>
    /// <para>Two zero vectors are equal (d = 0), a zero vector and another are orthogonal (d = 1). Where the median is 0 (a dead layer,
    /// or most images alike to it) s is NaN, as where the layer gives NaN or infinity.</para>
    /// <para>The network runs twice, in the mode it is in and without gradients: call <c>eval()</c> first, else dropout and batch norm
    /// count as changes. The outputs of the first run are held until the end.</para>
    /// </remarks>
    /// <param name="module">The network. Its children must be invoked by <c>call</c>, as those of <c>Sequential</c> are: hooks see nothing
    /// else.</param>
    /// <param name="images">Shape (N, C, H, W), N ≥ 2; not changed.</param>
    /// <param name="transform">Gives the changed images, same shape, dtype and device; see <see cref="warps"/>.</param>
    /// <param name="layers">Names as in <c>named_modules</c>, of layers that make one tensor (N, …) of one to three; <see cref="Input"/> and
    /// <see cref="Output"/>. Null: these two and each such layer without children that is called.</param>
    /// <returns>s by layer, in the order of their calls. A layer that is called more than once has an entry for every call: "relu",
    /// "relu:2", ….</returns>
    /// <exception cref="ArgumentException"><paramref name="images"/> are no two images, <paramref name="transform"/> gives other shapes, or
    /// one of the <paramref name="layers"/> does not exist, is not called, or makes no tensor (N, …), of the same size in both runs.</exception>
    public static IReadOnlyDictionary<string, double> sensitivity(
        nn.Module<Tensor, Tensor> module, Tensor images, Func<Tensor, Tensor> transform, IReadOnlyList<string>? layers = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        Check.FeatureMap(images, nameof(images));
        ArgumentNullException.ThrowIfNull(transform);
        if (images.size(0) < 2)
        {
            throw new ArgumentException($"expected two images at least, got {Check.Shape(images)}", nameof(images));
        }

        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var comparison = new LayerComparison(images.size(0));
        using var taps = new LayerTaps(module, layers, comparison.Add);
        var original = images.clone();   // a layer may work in place
        var changed = Changed(images, transform);
        taps.Run(original);
        comparison.Turn();
        taps.Run(changed);
        return comparison.Sensitivities(layers);
    }

    private static Tensor Changed(Tensor images, Func<Tensor, Tensor> transform)
    {
        var changed = transform(images.clone());
        Check.Exactly(changed, images.shape, nameof(transform));
        Check.Like(changed, images, nameof(transform));
        return changed.clone();
    }
}
