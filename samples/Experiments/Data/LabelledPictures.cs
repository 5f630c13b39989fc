using static TorchSharp.torch;

namespace Experiments.Data;

/// <summary>Grey pictures of one size and what they show.</summary>
/// <param name="Images">Shape (N, 1, H, W), float32, 0 black to 1 white.</param>
/// <param name="Labels">Shape (N), int64.</param>
/// <param name="Classes">The name of each label.</param>
internal sealed record LabelledPictures(Tensor Images, Tensor Labels, IReadOnlyList<string> Classes) : IDisposable
{
    public long Count => Images.size(0);

    /// <summary>Pictures (n, 1, H, W) in another size, by bilinear interpolation; averaged where it shrinks.</summary>
    public static Tensor Resize(Tensor images, long size) =>
        nn.functional.interpolate(images, [size, size], mode: InterpolationMode.Bilinear, align_corners: false, antialias: true);

    /// <summary>The first pictures.</summary>
    public LabelledPictures First(long count) => this with
    {
        Images = Images.narrow(0, 0, Math.Min(count, Count)),
        Labels = Labels.narrow(0, 0, Math.Min(count, Count)),
    };

    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }
}
