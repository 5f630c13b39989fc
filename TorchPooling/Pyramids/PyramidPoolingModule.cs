using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The pyramid pooling module of PSPNet: each position of a map is told what lies around it, at several scales up to
/// the whole image.</summary>
/// <remarks>
/// <para>For each number of bins n: the n × n adaptive means of x, a 1×1 convolution without bias, batch normalisation and ReLU,
/// then bilinear interpolation to H × W. The output is x and these maps, concatenated over the channels in this order. A
/// NaN spreads as far as the bins that hold it and their interpolation reach; in training over the whole batch.</para>
/// <para>Parameters and buffers, named as in the PyTorch port of the paper's first author (semseg): for branch i
/// <c>features.i.1.weight</c> (R, C, 1, 1) of the convolution; <c>features.i.2.weight</c>, <c>features.i.2.bias</c>,
/// <c>features.i.2.running_mean</c>, <c>features.i.2.running_var</c> (R) of the batch normalisation.</para>
/// <para>Shape: input (N, C, H, W); output (N, C + |bins|·R, H, W), in the input's dtype, which all runs in. Training needs
/// N ≥ 2 where a branch has one bin: a single value has no variance.</para>
/// <para>Zhao, Shi, Qi, Wang, Jia: Pyramid Scene Parsing Network, CVPR 2017.</para>
/// </remarks>
public sealed class PyramidPoolingModule : nn.Module<Tensor, Tensor>, IScriptable
{
    /// <summary>Of the convolutions, 1 GB in float32: a slip in a width shall be an error, not all of the memory.</summary>
    private const long MostWeights = 1 << 28;

    private readonly long in_channels;
    private readonly long[] bins;
    private readonly bool align_corners;
    private readonly ModuleList<Sequential> features;

    /// <param name="in_channels">C, the channels of the map.</param>
    /// <param name="bins">Bins a side of each branch; 1, 2, 3, 6 where null.</param>
    /// <param name="reduction_dim">R, the channels of a branch; C / |bins|, rounded down, where null.</param>
    /// <param name="align_corners">Whether the interpolation lays the outer bins on the map's corners, as semseg does; other ports
    /// do not.</param>
    /// <param name="device">Where the parameters live; the CPU where null.</param>
    /// <param name="dtype">The parameters' dtype; float32 where null.</param>
    /// <exception cref="ArgumentException"><paramref name="bins"/> is empty, has an entry below 1, or more than 2²⁴ bins together;
    /// <paramref name="dtype"/> is no floating-point type.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="in_channels"/> or <paramref name="reduction_dim"/> is not
    /// positive, <paramref name="in_channels"/> is below |bins| with no <paramref name="reduction_dim"/>, or together they ask for
    /// more than 2²⁸ weights.</exception>
    public PyramidPoolingModule(
        long in_channels, long[]? bins = null, long? reduction_dim = null, bool align_corners = true,
        Device? device = null, ScalarType? dtype = null)
        : base(nameof(PyramidPoolingModule))
    {
        this.bins = [.. bins ?? [1, 2, 3, 6]];
        this.align_corners = align_corners;
        Pyramid.CheckLevels(this.bins, 2, nameof(bins));
        Check.ParameterType(dtype);
        Check.ParameterDevice(device);
        var width = Width(in_channels, reduction_dim);
        this.in_channels = in_channels;
        out_channels = in_channels + (this.bins.Length * width);
        using var scope = NewDisposeScope();
        features = nn.ModuleList(Array.ConvertAll(this.bins, n => nn.Sequential(
            nn.AdaptiveAvgPool2d([n, n]),
            nn.Conv2d(in_channels, width, 1, bias: false, device: device, dtype: dtype),
            nn.BatchNorm2d(width, device: device, dtype: dtype),
            nn.ReLU(inplace: true))));
        RegisterComponents();
        foreach (var value in parameters().Concat(buffers()))
        {
            value.DetachFromDisposeScope();
        }
    }

    /// <summary>C + |bins|·R, the channels of the output.</summary>
    public long out_channels { get; }

    /// <summary>The map and what its branches say of it.</summary>
    /// <param name="x">Feature map, shape (N, C, H, W).</param>
    /// <returns>Shape (N, C + |bins|·R, H, W), in <paramref name="x"/>'s dtype.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> has another shape, or not the dtype and device of the parameters; or
    /// a branch that is in training has fewer than two values to normalise over.</exception>
    public override Tensor forward(Tensor x)
    {
        Check.FeatureMap(x, in_channels);
        Check.LikeParameters(x, features[0].parameters().First());
        using var scope = NewDisposeScope();
        var maps = new List<Tensor> { x };
        foreach (var (branch, n) in features.Zip(bins))
        {
            CheckTraining(x, branch, n);
            maps.Add(nn.functional.interpolate(
                branch.call(x), size: [x.size(2), x.size(3)], mode: InterpolationMode.Bilinear, align_corners: align_corners));
        }

        return cat(maps, 1).MoveToOuterDisposeScope();
    }

    ScriptDefinition IScriptable.script() => new(
        $"""
        def forward(self, x: Tensor) -> Tensor:
            maps = [x]
        {string.Join("\n", bins.Select(BranchScript))}
            return torch.cat(maps, 1)

        def spread(self, x: Tensor, branch: Tensor) -> Tensor:
            return torch.upsample_bilinear2d(branch, [x.size(2), x.size(3)], self.align_corners)
        """,
        (nameof(align_corners), align_corners));

    private static string BranchScript(long n, int i) =>
        $"""
            if getattr(getattr(self.features, "{i}"), "2").training and x.size(0) * {n * n} < 2:
                ops.prim.RaiseException("expected two or more values to normalise over in training")
            maps.append(self.spread(x, getattr(self.features, "{i}").forward(x)))
        """;

    private long Width(long in_channels, long? reduction_dim)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(in_channels);
        var width = reduction_dim ?? in_channels / bins.Length;
        if (width < 1)
        {
            throw reduction_dim is null
                ? new ArgumentOutOfRangeException(nameof(in_channels), in_channels, $"expected at least one channel for each of {bins.Length} branches")
                : new ArgumentOutOfRangeException(nameof(reduction_dim), reduction_dim, "expected a positive number");
        }

        return (double)in_channels * width * bins.Length <= MostWeights ? width : throw new ArgumentOutOfRangeException(
            nameof(in_channels), in_channels, $"expected not more than {MostWeights} weights, got {bins.Length} branches of {in_channels}×{width}");
    }

    // libtorch itself would go on with a variance of NaN; the child's mode counts, since a frozen norm trains no statistics.
    private static void CheckTraining(Tensor x, Sequential branch, long n)
    {
        if (branch.children().OfType<BatchNorm2d>().Any(norm => norm.training) && x.size(0) * n * n < 2)
        {
            throw new ArgumentException(
                $"expected two or more values to normalise over in training, got {Check.Shape(x)} for {n}×{n} bins", nameof(x));
        }
    }
}
