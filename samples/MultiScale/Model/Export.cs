using MultiScale.Data;
using MultiScale.Search;
using MultiScale.Training;
using TorchPooling;
using static TorchSharp.torch;

namespace MultiScale.Model;

/// <summary>The exported file against the network, for pictures of one shape.</summary>
/// <param name="Difference">Largest absolute one of the scores.</param>
/// <param name="BoxDifference">The same for boxes of the pictures.</param>
internal sealed record ExportCheck(int Height, int Width, double Difference, double BoxDifference);

/// <summary>The network as TorchScript.</summary>
internal static class Export
{
    private const int Pictures = 8;

    /// <summary>Saves it, loads the file, and compares both at several sizes, square and not.</summary>
    public static List<ExportCheck> Save(SppNet network, string path, SizedPictures pictures, RunOptions options, Device device)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var numbers = arange(Math.Min(Pictures, pictures.Count));
        torchscript.save(network, path, pictures.Images(numbers, Method.OneSize).to(device));
        using var script = torchscript.load<Tensor>(path, device);
        var sides = options.TrainSizes.Append((int)network.min_size).Append(64).Append(97).Distinct().Order();
        return [.. sides.Select(side => Check(side, side)).Append(Check(45, 130))];

        ExportCheck Check(int height, int width)
        {
            using var one = NewDisposeScope();
            var images = nn.functional.interpolate(pictures.Images(numbers, Method.OneSize), [height, width], mode: InterpolationMode.Bilinear, align_corners: false).to(device);
            var boxes = cat([SlidingBoxes.Rows([new(0, 0, width, height), new(0, 0, width / 2, height)]), SlidingBoxes.Rows([new(width / 3, height / 4, width, height)], 1)]).to(device);
            return new(height, width, Largest(script.call(images), network.call(images)), Largest(script.call(images, boxes), network.forward(images, boxes)));
        }
    }

    private static double Largest(Tensor ours, Tensor theirs) => (ours - theirs).abs().max().item<float>();
}
