using Stability.Measures;
using Stability.Model;
using static TorchSharp.torch;

namespace Stability.Claims;

/// <summary>What poolings keep of textures and of a smooth background, and of the two errors that the notes name.</summary>
/// <param name="Seeds">For each network its measures, on maps drawn for it.</param>
internal sealed record TextureAndBackground(string Pooling, int Window, IReadOnlyList<TextureAndBackground.Kept> Seeds)
{
    /// <param name="Bright">Signal to noise of “the window holds a point” in the pooled values, of sparse bright points, in decibels.</param>
    /// <param name="Dark">The same of sparse dark points.</param>
    /// <param name="Dense">Signal to noise of the share of the window's pixels that are points, of a dense bright texture.</param>
    /// <param name="Background">Signal to noise of the background's mean over the window, under the sparse bright points.</param>
    /// <param name="Scatter">Standard deviation of pooled white noise over that of the noise: the variance that a small window leaves.</param>
    /// <param name="Shift">How far an error of the filters moves the mean of a pooled map, in standard deviations of the map before pooling.</param>
    /// <param name="OwnShift">The same in standard deviations of the pooled map.</param>
    internal sealed record Kept(double Bright, double Dark, double Dense, double Background, double Scatter, double Shift, double OwnShift);

    public const string Max = "max";
    public const string Mean = "mean";

    public const double Sparse = 0.02;         // points of a texture per pixel
    public const double Dense = 0.3;
    public const double PointHeight = 2;
    public const double BackgroundDeviation = 0.5;
    public const double NoiseDeviation = 0.25;
    public const double FilterError = 0.1;     // of the filters' root mean square
    public const int Draws = 4;                // of filter errors, for every network

    private const int Maps = 64;
    private const int Side = 48;               // of the maps; 2, 3, 4 and 6 divide it
    private const int Coarse = 5;              // points a side between which the background is interpolated
    private const int Seed = 11;

    private static readonly (string Name, Func<int, nn.Module<Tensor, Tensor>> Layer)[] Poolings =
        [(Max, window => nn.MaxPool2d(window)), (Mean, window => nn.AvgPool2d(window))];

    public Estimate Of(Func<Kept, double> value) => Estimate.Of(Seeds.Select(value));

    public static List<TextureAndBackground> Measure(IReadOnlyList<Network> networks, Tensor images)
    {
        using var none = no_grad();
        var kinds = Poolings.SelectMany(_ => Retention.Windows, (pooling, window) => (pooling.Name, Window: window, Layer: pooling.Layer(window))).ToList();
        var found = networks.Select((network, i) => Measure(network, images, [.. kinds.Select(kind => (kind.Window, kind.Layer))], Seed + i)).ToList();
        return [.. kinds.Select((kind, i) => new TextureAndBackground(kind.Name, kind.Window, [.. found.Select(network => network[i])]))];
    }

    /// <summary>10·log₁₀(ρ²/(1 − ρ²)), ρ the correlation over all windows: what a line through the pooled values explains of the target
    /// over what it does not.</summary>
    public static double Decibels(Tensor pooled, Tensor target)
    {
        using var scope = NewDisposeScope();
        var (x, y) = (pooled.flatten().to(ScalarType.Float64), target.flatten().to(ScalarType.Float64));
        (x, y) = (x - x.mean(), y - y.mean());
        var squared = ((x * y).sum().square() / (x.square().sum() * y.square().sum())).item<double>();
        return 10 * Math.Log10(squared / (1 - squared));
    }

    /// <summary>Mean over the channels of |mean(wrong) − mean(right)| / deviation(scale), over pictures and places; channels without
    /// deviation do not count.</summary>
    public static double MeanShift(Tensor right, Tensor wrong, Tensor scale)
    {
        using var scope = NewDisposeScope();
        var deviation = Channels(scale).std(1);
        return ((Channels(wrong).mean([1]) - Channels(right).mean([1])).abs() / deviation).masked_select(deviation > 0).mean().item<float>();

        static Tensor Channels(Tensor map) => map.transpose(0, 1).flatten(1);
    }

    private static List<Kept> Measure(Network network, Tensor images, IReadOnlyList<(int Window, nn.Module<Tensor, Tensor> Layer)> kinds, int seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var noise = randn([Maps, 1, Side, Side], generator: generator);
        var (sparse, dense) = (Points(Sparse), Points(Dense));
        var ground = nn.functional.interpolate(randn([Maps, 1, Coarse, Coarse], generator: generator), [Side, Side], mode: InterpolationMode.Bicubic, align_corners: true);
        ground *= BackgroundDeviation / ground.std();
        var rest = ground + (NoiseDeviation * noise);
        var shifts = Enumerable.Range(0, Draws).Select(_ => Shifts(network, images, kinds, generator)).ToList();
        return
        [
            .. kinds.Select((kind, i) => new Kept(
                Decibels(kind.Layer.call(rest + (PointHeight * sparse)), Holds(sparse, kind.Window)),
                Decibels(kind.Layer.call(rest - (PointHeight * sparse)), Holds(sparse, kind.Window)),
                Decibels(kind.Layer.call(rest + (PointHeight * dense)), Average(dense, kind.Window)),
                Decibels(kind.Layer.call(rest + (PointHeight * sparse)), Average(ground, kind.Window)),
                kind.Layer.call(noise).std().item<float>() / noise.std().item<float>(),
                shifts.Average(draw => draw[i].Shift), shifts.Average(draw => draw[i].OwnShift))),
        ];

        Tensor Points(double density) => (rand([Maps, 1, Side, Side], generator: generator) < density).to(ScalarType.Float32);

        static Tensor Holds(Tensor points, int window) => nn.functional.max_pool2d(points, [window, window]);

        static Tensor Average(Tensor values, int window) => nn.functional.avg_pool2d(values, [window, window]);
    }

    /// <summary>What noise on the filters does to the first map, pooled in each way.</summary>
    private static List<(double Shift, double OwnShift)> Shifts(
        Network network, Tensor images, IReadOnlyList<(int Window, nn.Module<Tensor, Tensor> Layer)> kinds, Generator generator)
    {
        using var scope = NewDisposeScope();
        var filters = Network.Filters(network.Module, 0);
        var kept = filters.clone();
        var right = network.FirstMap(images);
        filters.add_(randn(filters.shape, generator: generator).to(filters.device) * filters.square().mean().sqrt() * FilterError);
        var wrong = network.FirstMap(images);
        filters.copy_(kept);
        return
        [
            .. kinds.Select(kind =>
            {
                var (a, b) = (kind.Layer.call(right), kind.Layer.call(wrong));
                return (MeanShift(a, b, right), MeanShift(a, b, a));
            }),
        ];
    }
}
