using TorchPooling;
using static TorchSharp.torch;

namespace Distributed.Training;

/// <summary>The network: a small VGG backbone, a spatial pyramid, which keeps where things are, and a linear layer.</summary>
internal static class Classifier
{
    private const int EvaluationBatch = 64;

    private static readonly long[] Levels = [1, 2, 4];

    public static nn.Module<Tensor, Tensor> Create(int classes, int seed)
    {
        random.manual_seed(seed);
        var backbone = new VggBackbone([[16], [32], [32]], cut: VggCut.AfterLastReLU);
        var pyramid = new SpatialPyramidPool2d(Levels);
        return nn.Sequential(backbone, pyramid, nn.Linear(pyramid.output_length(backbone.out_channels), classes));
    }

    /// <summary>Images of bytes as the network takes them: on the device, normalised by the mean and deviation of ImageNet's channels.</summary>
    public static Tensor Input(Tensor images, Device device)
    {
        using var scope = NewDisposeScope();
        var mean = tensor(new[] { 0.485f, 0.456f, 0.406f }, device: device).reshape(3, 1, 1);
        var deviation = tensor(new[] { 0.229f, 0.224f, 0.225f }, device: device).reshape(3, 1, 1);
        return images.to(device).to(ScalarType.Float32).div_(255).sub_(mean).div_(deviation).MoveToOuterDisposeScope();
    }

    /// <summary>The share of images that are put into their class.</summary>
    public static double Accuracy(nn.Module<Tensor, Tensor> model, Tensor images, Tensor labels, Device device)
    {
        using var gradients = no_grad();
        model.eval();
        var right = 0L;
        for (var start = 0L; start < labels.shape[0]; start += EvaluationBatch)
        {
            using var scope = NewDisposeScope();
            var part = TensorIndex.Slice(start, start + EvaluationBatch);
            right += model.call(Input(images[part], device)).argmax(1).cpu().eq(labels[part]).sum().item<long>();
        }

        return (double)right / labels.shape[0];
    }
}
