using TorchSharp;
using static TorchPooling.Tests.Export.Parity.ParityCase;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Export.Parity;

/// <summary>Every module that can be exported, with several settings. A new one joins with one line.</summary>
internal static partial class ParityTable
{
    /// <summary>Whether every dtype is compared, which takes minutes; else float32.</summary>
    public static bool AllDtypes { get; } = Environment.GetEnvironmentVariable("TORCHPOOLING_SLOW") is not null;

    private static readonly Tensor line = Draw(2, 4, 11), map = Draw(2, 4, 11, 13), volume = Draw(2, 4, 5, 6, 7), rows = Draw(5, 6);

    private static readonly Tensor words = tensor(new long[] { 0, 3, 3, 6, 1, 2 }).reshape(2, 3).DetachFromDisposeScope();
    private static readonly Tensor starts = tensor(new long[] { 0, 2 }).DetachFromDisposeScope(), ends = tensor(new long[] { 0, 2, 6 }).DetachFromDisposeScope();

    public static IReadOnlyDictionary<string, ParityCase> Cases { get; } = new[]
    {
        Activations(), Convolutions(), Pools(), Unpools(), Normalizations(), Dropouts(), Shapes(), Linears(), Embeddings(), Recurrents(), Losses(),
        Containers(), Own(),
    }.SelectMany(group => group).ToDictionary(item => item.Name);

    private static IEnumerable<ParityCase> Activations()
    {
        var both = new[] { false, true };
        foreach (var inplace in both)
        {
            var name = inplace ? " in place" : "";
            yield return Of("ReLU" + name, () => nn.ReLU(inplace), map);
            yield return Of("ReLU6" + name, () => nn.ReLU6(inplace), 6 * map);
            yield return Of("RReLU" + name, () => nn.RReLU(0.1, 0.4, inplace), map);
            yield return Of("LeakyReLU" + name, () => nn.LeakyReLU(0.2, inplace), map);
            yield return Of("ELU" + name, () => nn.ELU(0.7, inplace), map);
            yield return Of("CELU" + name, () => nn.CELU(0.7, inplace), map);
            yield return Of("SELU" + name, () => nn.SELU(inplace), map);
            yield return Of("GELU" + name, () => nn.GELU(inplace), map);
            yield return Of("SiLU" + name, () => nn.SiLU(inplace), map);
            yield return Of("Mish" + name, () => nn.Mish(inplace), map) with { NoGradient = inplace };
            yield return Of("Sigmoid" + name, () => nn.Sigmoid(inplace), map);
            yield return Of("Hardsigmoid" + name, () => nn.Hardsigmoid(inplace), 4 * map);
            yield return Of("Hardswish" + name, () => nn.Hardswish(inplace), 4 * map);
            yield return Of("Tanh" + name, () => nn.Tanh(inplace), map);
            yield return Of("Tanhshrink" + name, () => nn.Tanhshrink(inplace), map);
            yield return Of("Threshold" + name, () => nn.Threshold(0.1, -7, inplace), map);
            yield return Of("Softsign" + name, () => nn.Softsign(inplace), map) with { NoGradient = inplace };
        }

        yield return Of("Hardtanh in place", () => nn.Hardtanh(-0.5, 0.3, inplace: true), map);
        yield return Of("GELU tanh", () => nn.GELU(TorchSharp.Modules.GELU.Approximate.tanh), map);
        yield return Of("PReLU", () => nn.PReLU(1, 0.3), map);
        yield return Of("PReLU per channel", () => nn.PReLU(4), map);
        yield return Of("Softplus", () => nn.Softplus(2, 0.5), map);
        yield return Of("Softshrink", () => nn.Softshrink(0.3), map);
        yield return Of("Hardshrink", () => nn.Hardshrink(0.3), map);
        yield return Of("LogSigmoid", () => nn.LogSigmoid(), map);
        yield return Of("GLU", () => nn.GLU(1), map);
        yield return Of("GLU of the last", () => nn.GLU(), Draw(3, 8));
        yield return Of("Softmax", () => nn.Softmax(1), map);
        yield return Of("Softmax2d", () => nn.Softmax2d(), map);
        yield return Of("Softmin", () => nn.Softmin(-1), map);
        yield return Of("LogSoftmax", () => nn.LogSoftmax(1), map);
    }

    private static IEnumerable<ParityCase> Convolutions()
    {
        yield return Of("Conv1d", () => nn.Conv1d(4, 6, 3, stride: 2, padding: 1, dilation: 2, groups: 2), line);
        yield return Of("Conv1d without bias, one sample", () => nn.Conv1d(4, 6, 3, bias: false), Draw(4, 11));
        yield return Of("Conv2d", () => nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), (1, 2), groups: 2, bias: false), map);
        yield return Of("Conv3d", () => nn.Conv3d(4, 6, (3, 2, 1), (2, 1, 1), (1, 0, 2)), volume);
        foreach (var mode in new[] { PaddingModes.Zeros, PaddingModes.Reflect, PaddingModes.Replicate, PaddingModes.Circular })
        {
            yield return Of($"Conv1d {mode}", () => nn.Conv1d(4, 3, 3, padding: 2, padding_mode: mode), line);
            yield return Of($"Conv2d {mode}", () => nn.Conv2d(4, 3, (3, 5), (2, 1), (1, 2), padding_mode: mode), map);
            yield return Of($"Conv3d {mode}", () => nn.Conv3d(4, 3, (3, 3, 3), padding: (1, 2, 3), padding_mode: mode), volume);
            yield return Of($"Conv2d {mode} same", () => nn.Conv2d(4, 3, (4, 3), padding: Padding.Same, dilation: (1, 2), padding_mode: mode), map);
        }

        yield return Of("Conv1d same", () => nn.Conv1d(4, 3, 4, Padding.Same), line);
        yield return Of("Conv2d valid", () => nn.Conv2d(4, 3, 3, Padding.Valid), map);
        yield return Of("Conv3d same", () => nn.Conv3d(4, 3, 3, Padding.Same), volume);
        yield return Of("ConvTranspose1d", () => nn.ConvTranspose1d(4, 6, 3, stride: 2, padding: 1, output_padding: 1, dilation: 2, groups: 2), line);
        yield return Of("ConvTranspose2d", () => nn.ConvTranspose2d(4, 6, (3, 4), (2, 3), (1, 2), (1, 1), (1, 1), bias: false), map);
        yield return Of("ConvTranspose2d of one size", () => nn.ConvTranspose2d(4, 3, 3, stride: 2, padding: 1, output_padding: 1), map);
        yield return Of("ConvTranspose3d", () => nn.ConvTranspose3d(4, 2, 2, stride: 2), volume);
    }

    private static IEnumerable<ParityCase> Pools()
    {
        yield return Of("MaxPool1d", () => nn.MaxPool1d(3, 2, 1, 2, ceil_mode: true), line);
        yield return Of("MaxPool1d of a kernel alone", () => nn.MaxPool1d(3), line);
        yield return Of("MaxPool2d", () => nn.MaxPool2d(3, 2, 1, 2, ceil_mode: true), map);
        yield return Of("MaxPool2d of pairs", () => nn.MaxPool2d((2, 3), (1, 2)), map);
        yield return Of("MaxPool2d of a kernel alone", () => nn.MaxPool2d(2), map);
        yield return Of("MaxPool3d", () => nn.MaxPool3d(2, 1, 1), volume);
        yield return Of("MaxPool3d of a kernel alone", () => nn.MaxPool3d((1, 2, 3)), volume);
        yield return Of("AvgPool1d", () => nn.AvgPool1d(3, 2, 1, ceil_mode: true, count_include_pad: false), line);
        yield return Of("AvgPool2d", () => nn.AvgPool2d(3, 2, 1, ceil_mode: true, count_include_pad: false), map);
        yield return Of("AvgPool2d with a divisor", () => nn.AvgPool2d((2, 3), (2, 1), divisor_override: 5), map);
        yield return Of("AvgPool3d", () => nn.AvgPool3d(2, 1, 1, count_include_pad: false), volume);
        yield return Of("AvgPool3d with a divisor", () => nn.AvgPool3d((1, 2, 3), divisor_override: 3), volume);
        yield return Of("AdaptiveAvgPool1d", () => nn.AdaptiveAvgPool1d(4), line);
        yield return Of("AdaptiveAvgPool2d", () => nn.AdaptiveAvgPool2d([3, 2]), map);
        yield return Of("AdaptiveAvgPool3d", () => nn.AdaptiveAvgPool3d([3, 2, 1]), volume);
        yield return Of("AdaptiveMaxPool1d", () => nn.AdaptiveMaxPool1d(4), line);
        yield return Of("AdaptiveMaxPool2d", () => nn.AdaptiveMaxPool2d([3, 2]), map);
        yield return Of("LPPool1d", () => nn.LPPool1d(2, 3, 2, ceil_mode: true), line);
        yield return Of("LPPool2d", () => nn.LPPool2d(3, [2, 3]), map.abs());
        yield return Of("LPPool2d with a stride", () => nn.LPPool2d(2, 3, 2), map);
        yield return Of("FractionalMaxPool2d", () => nn.FractionalMaxPool2d(2, output_size: 5), map) with { Random = true };
        yield return Of("FractionalMaxPool2d by ratio", () => nn.FractionalMaxPool2d((2, 3), output_ratio: (0.5, 0.7)), map) with { Random = true };
        yield return Of("FractionalMaxPool3d", () => nn.FractionalMaxPool3d(2, output_size: 3), volume) with { Random = true };
        yield return Of("FractionalMaxPool3d by ratio", () => nn.FractionalMaxPool3d(2, output_ratio: 0.6), volume) with { Random = true };
    }

    private static IEnumerable<ParityCase> Unpools()
    {
        var (one, oneAt) = nn.MaxPool1d(2).forward_with_indices(Draw(2, 4, 12));
        var (two, twoAt) = nn.MaxPool2d((2, 3)).forward_with_indices(Draw(2, 4, 10, 12));
        var (three, threeAt) = nn.MaxPool3d(2).forward_with_indices(Draw(2, 4, 4, 6, 8));
        var (wide, wideAt) = nn.MaxPool2d(3, 2, 1).forward_with_indices(Draw(2, 4, 9, 11));
        yield return Of("MaxUnpool1d", () => nn.MaxUnpool1d(2), one, oneAt, null);
        yield return Of("MaxUnpool2d", () => nn.MaxUnpool2d((2, 3)), two, twoAt, null);
        yield return Of("MaxUnpool2d with a stride and padding", () => nn.MaxUnpool2d(3, 2, 1), wide, wideAt, null);
        yield return Of("MaxUnpool3d", () => nn.MaxUnpool3d(2), three, threeAt, null);
        yield return Of("Indices and their unpooling", () => new Segmentation(), Draw(2, 4, 6, 8));
    }

    private static IEnumerable<ParityCase> Normalizations()
    {
        yield return Of("BatchNorm1d", () => Uneven(nn.BatchNorm1d(6)), rows);
        yield return Of("BatchNorm1d of a line", () => Uneven(nn.BatchNorm1d(4)), line);
        yield return Of("BatchNorm2d", () => Uneven(nn.BatchNorm2d(4, eps: 0.1, momentum: 0.3)), map);
        yield return Of("BatchNorm2d without weights", () => nn.BatchNorm2d(4, affine: false), map);
        yield return Of("BatchNorm2d without statistics", () => Uneven(nn.BatchNorm2d(4, track_running_stats: false)), map);
        yield return Of("BatchNorm2d of the cumulative average", () => Uneven(Cumulative(nn.BatchNorm2d(4))), map);
        yield return Of("BatchNorm3d", () => Uneven(nn.BatchNorm3d(4)), volume);
        yield return Of("InstanceNorm1d", () => nn.InstanceNorm1d(4), line);
        yield return Of("InstanceNorm2d", () => Uneven(nn.InstanceNorm2d(4, eps: 0.1, momentum: 0.3, affine: true, track_running_stats: true)), map);
        yield return Of("InstanceNorm2d of one sample", () => Uneven(nn.InstanceNorm2d(4, affine: true)), Draw(4, 5, 6));
        yield return Of("InstanceNorm3d", () => nn.InstanceNorm3d(4, track_running_stats: true), volume);
        yield return Of("LayerNorm", () => Uneven(nn.LayerNorm([11, 13], eps: 0.01)), map);
        yield return Of("LayerNorm without weights", () => nn.LayerNorm(13, elementwise_affine: false), map);
        yield return Of("GroupNorm", () => Uneven(nn.GroupNorm(2, 4, eps: 0.01)), map);
        yield return Of("GroupNorm without weights", () => nn.GroupNorm(2, 4, affine: false), volume);
        yield return Of("LocalResponseNorm", () => nn.LocalResponseNorm(3, 0.1, 0.5, 2), map);
        yield return Of("LocalResponseNorm of an even size, a line", () => nn.LocalResponseNorm(2, 0.3), line);
        yield return Of("LocalResponseNorm of a volume", () => nn.LocalResponseNorm(2), volume);
    }

    private static IEnumerable<ParityCase> Dropouts()
    {
        foreach (var inplace in new[] { false, true })
        {
            var name = inplace ? " in place" : "";
            yield return Of("Dropout" + name, () => nn.Dropout(0.3, inplace), map) with { Random = true };
            yield return Of("Dropout1d" + name, () => nn.Dropout1d(0.3, inplace), line) with { Random = true };
            yield return Of("Dropout2d" + name, () => nn.Dropout2d(0.3, inplace), map) with { Random = true };
            yield return Of("Dropout3d" + name, () => nn.Dropout3d(0.3, inplace), volume) with { Random = true };
            yield return Of("AlphaDropout" + name, () => nn.AlphaDropout(0.3, inplace), map) with { Random = true };
            yield return Of("FeatureAlphaDropout" + name, () => nn.FeatureAlphaDropout(0.3, inplace), map) with { Random = true };
        }
    }

    private static IEnumerable<ParityCase> Shapes()
    {
        yield return Of("Flatten", () => nn.Flatten(), map);
        yield return Of("Flatten of two", () => nn.Flatten(2, 3), map);
        yield return Of("Unflatten", () => nn.Unflatten(1, [2, 2]), map);
        yield return Of("PixelShuffle", () => nn.PixelShuffle(2), map);
        yield return Of("PixelUnshuffle", () => nn.PixelUnshuffle(2), Draw(2, 3, 4, 6));
        yield return Of("ChannelShuffle", () => nn.ChannelShuffle(2), map);
        yield return Of("Unfold", () => nn.Unfold((3, 2), (1, 2), (1, 0), (2, 1)), map);
        yield return Of("Fold", () => nn.Fold((5, 6), (2, 3)), Draw(2, 12, 16));
        yield return Of("ConstantPad1d", () => nn.ConstantPad1d((1, 2), 3.5), line);
        yield return Of("ConstantPad2d", () => nn.ConstantPad2d((1, 2, 0, 3), -1), map);
        yield return Of("ConstantPad3d", () => nn.ConstantPad3d((1, 2, 0, 3, 1, 1), 2), volume);
        yield return Of("ZeroPad2d", () => nn.ZeroPad2d((1, 2, 3, 0)), map);
        yield return Of("ZeroPad2d that crops", () => nn.ZeroPad2d((-1, 2, 3, -2)), map);
        yield return Of("ReflectionPad1d", () => nn.ReflectionPad1d((1, 2)), line);
        yield return Of("ReflectionPad2d", () => nn.ReflectionPad2d((1, 2, 3, 0)), map);
        yield return Of("ReflectionPad3d", () => nn.ReflectionPad3d((1, 2, 0, 3, 1, 1)), volume);
        yield return Of("ReplicationPad1d", () => nn.ReplicationPad1d((1, 2)), line);
        yield return Of("ReplicationPad2d", () => nn.ReplicationPad2d((1, 2, 3, 0)), map);
        yield return Of("ReplicationPad3d", () => nn.ReplicationPad3d((1, 2, 0, 3, 1, 1)), volume);
        yield return Of("Upsample nearest of a line", () => nn.Upsample(scale_factor: [1.7]), line);
        yield return Of("Upsample nearest", () => nn.Upsample(scale_factor: [2, 1.3]), map);
        yield return Of("Upsample nearest to a size", () => nn.Upsample(size: [7, 8, 9]), volume);
        yield return Of("Upsample linear", () => nn.Upsample(scale_factor: [1.7], mode: UpsampleMode.Linear), line);
        foreach (var aligned in new[] { false, true })
        {
            yield return Of($"Upsample bilinear {aligned}", () => nn.Upsample(scale_factor: [1.7, 2.3], mode: UpsampleMode.Bilinear, align_corners: aligned), map);
            yield return Of($"Upsample bicubic {aligned}", () => nn.Upsample(size: [17, 5], mode: UpsampleMode.Bicubic, align_corners: aligned), map);
            yield return Of($"Upsample trilinear {aligned}", () => nn.Upsample(scale_factor: [1.5, 2, 0.7], mode: UpsampleMode.Trilinear, align_corners: aligned), volume);
            yield return Of(
                $"Upsample bilinear, its scale computed again {aligned}",
                () => nn.Upsample(scale_factor: [1.7, 2.3], mode: UpsampleMode.Bilinear, align_corners: aligned, recompute_scale_factor: true), map);
        }

        yield return Of("Upsample nearest, its scale computed again", () => nn.Upsample(scale_factor: [1.7, 2.3], recompute_scale_factor: true), map);
    }

    private static Tensor Draw(params long[] shape) => randn(shape, generator: new Generator(11)).DetachFromDisposeScope();

    private static TorchSharp.Modules.BatchNorm2d Cumulative(TorchSharp.Modules.BatchNorm2d norm)
    {
        norm.momentum = null;
        return norm;
    }

    /// <summary>Weights and statistics that are not all ones and zeros.</summary>
    private static T Uneven<T>(T module)
        where T : nn.Module
    {
        using var gradients = no_grad();
        foreach (var tensor in module.parameters().Concat(module.buffers()).Where(t => t.is_floating_point()))
        {
            tensor.uniform_(0.5, 1.5);
        }

        return module;
    }
}
