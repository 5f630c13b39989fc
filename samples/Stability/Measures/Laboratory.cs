using Stability.Data;
using Stability.Model;
using Stability.Training;
using TorchPooling;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Stability.Measures;

/// <summary>Measures networks, all by the same pictures and the same changes of them.</summary>
internal sealed class Laboratory : IDisposable
{
    /// <summary>The crops of a picture begin at 0 to so many pixels.</summary>
    public const int MostShift = 3;

    private const int Pictures = 128;        // that are changed: as many as the paper takes
    private const int ShiftedPictures = 400;
    private const int QuickPictures = 16;

    private readonly Tensor images, padded;
    private readonly Learner learner;
    private readonly CancellationToken cancellation;

    public Laboratory(Source source, Learner learner, bool quick, Device device, CancellationToken cancellation)
    {
        (this.learner, this.cancellation) = (learner, cancellation);
        using var scope = NewDisposeScope();
        images = source.Test.First(quick ? QuickPictures : Pictures).Images.to(device, copy: true).DetachFromDisposeScope();
        var shifted = source.Test.First(quick ? QuickPictures : ShiftedPictures).Images;
        padded = nn.functional.pad(shifted, [1, MostShift - 1, 1, MostShift - 1], PaddingModes.Replicate).to(device, copy: true).DetachFromDisposeScope();
        Transforms = Transform.All(source, quick ? QuickPictures : Pictures, device);
        foreach (var transform in Transforms)
        {
            transform.Images.DetachFromDisposeScope();
        }
    }

    public IReadOnlyList<Transform> Transforms { get; }

    /// <summary>The pictures that are changed.</summary>
    public Tensor Images => images;

    public Snapshot Measure(nn.Module<Tensor, Tensor> module)
    {
        module.eval();
        var layers = Network.Layers.Select(layer => layer.Module).ToList();
        var sensitivity = new Dictionary<string, double[]>();
        foreach (var transform in Transforms)
        {
            cancellation.ThrowIfCancellationRequested();
            var found = stability.sensitivity(module, images, _ => transform.Images.alias(), layers);
            sensitivity[transform.Key] = [.. layers.Select(layer => found[layer])];
        }

        return new(
            sensitivity, [.. Enumerable.Range(0, Network.Widths.Count).Select(block => Smoothness.Of(Network.Filters(module, block)))],
            Smoothness.Mean([.. module.modules().OfType<Conv2d>().Select(layer => Smoothness.Of(layer.weight))]),
            learner.TestAccuracy(module), stability.shift_consistency(module, padded, MostShift, wrap: false));
    }

    public void Dispose()
    {
        images.Dispose();
        padded.Dispose();
        foreach (var transform in Transforms)
        {
            transform.Dispose();
        }
    }
}
