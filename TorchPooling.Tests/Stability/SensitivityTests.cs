using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Stability;

public class SensitivityTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void An_identity_has_the_distance_of_the_images(int count)
    {
        using var scope = NewDisposeScope();
        using var network = nn.Sequential(("same", nn.Identity()));
        var x = Seeded.Normal(1, [count, 2, 6, 7], ScalarType.Float64) + 0.5;
        Tensor Warp(Tensor v) => warps.rotate(v, 12);
        var measured = stability.sensitivity(network, x, Warp);
        Assert.Equal([stability.Input, "same", stability.Output], measured.Keys);

        var (rows, changed) = (Rows(x), Rows(Warp(x)));
        var pairs = (from i in Enumerable.Range(0, count) from j in Enumerable.Range(0, i) select Distance(rows[i], rows[j])).Order().ToList();
        var median = (pairs[pairs.Count / 2] + pairs[(pairs.Count - 1) / 2]) / 2;   // of 1, 6 and 10 pairs
        var expected = rows.Zip(changed, Distance).Average() / median;
        Assert.All(measured.Values, value => Assert.Equal(expected, value, 1e-12));
        Assert.InRange(expected, 0.01, 2);
    }

    [Fact]
    public void A_global_average_is_invariant_to_circular_shifts_and_the_map_before_it_is_not()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Sequential(("map", nn.Identity()), ("pool", nn.AdaptiveAvgPool2d(1)));
        var x = Seeded.Normal(1, [6, 3, 8, 8], ScalarType.Float64);
        foreach (var (dy, dx) in new[] { (3.0, -2.0), (0.5, 0.25) })   // bilinear weights sum to 1: fractions of a pixel, too
        {
            var measured = stability.sensitivity(network, x, v => warps.translate(v, dy, dx, wrap: true));
            Assert.InRange(measured["pool"], 0, 1e-13);
            Assert.InRange(measured[stability.Output], 0, 1e-13);
            Assert.InRange(measured["map"], 0.2, 2);
        }

        Assert.Equal(0, stability.sensitivity(network, x, v => v)["map"]);
    }

    [Fact]
    public void A_reader_of_one_pixel_by_hand()
    {
        using var scope = NewDisposeScope();
        using var network = new OnePixel(1, 2);

        // Two channels: the pixel (1, 2) is (1, 0), (0, 1), (1, 1) in three images; left of it (1, 0), (1, 0), (0, 1).
        var x = zeros(3, 2, 4, 4, dtype: ScalarType.Float64);
        foreach (var (n, c) in new[] { (0, 0), (1, 1), (2, 0), (2, 1) })
        {
            x[n, c, 1, 2] = 1;
        }

        foreach (var (n, c) in new[] { (0, 0), (1, 0), (2, 1) })
        {
            x[n, c, 1, 1] = 1;
        }

        // Pairs: 1, 1 − 1/√2, 1 − 1/√2, median 1 − 1/√2. One pixel to the right: distances 0, 1, 1 − 1/√2.
        var unit = 1 - Math.Sqrt(0.5);
        var measured = stability.sensitivity(network, x, v => warps.translate(v, 0, 1), [stability.Output]);
        Assert.Equal((1 + unit) / 3 / unit, Assert.Single(measured).Value, 1e-12);
        Assert.Equal(stability.Output, Assert.Single(measured).Key);

        // A change elsewhere is none.
        Assert.Equal(0, stability.sensitivity(network, x, v => v.index_fill(2, tensor(new long[] { 0, 2, 3 }), 9))[stability.Output]);
    }

    [Fact]
    public void Dead_layers_are_NaN_and_zero_vectors_equal_each_other_alone()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Sequential(("same", nn.Identity()), ("dead", new Times(0)));
        var x = ones(2, 1, 2, 2);
        x[0] = 0;
        var measured = stability.sensitivity(network, x, v => ones_like(v));
        Assert.Equal(0.5, measured["same"]);   // (1 + 0)/2 in units of 1
        Assert.Equal(double.NaN, measured["dead"]);
        Assert.Equal(double.NaN, stability.sensitivity(network, ones(3, 1, 2, 2), v => v * 2)["same"]);   // all images alike
        Assert.Equal(double.NaN, stability.sensitivity(nn.Sequential(("nan", new Times(double.NaN))), x, v => v)["nan"]);
    }

    [Fact]
    public void A_layer_that_is_called_again_has_an_entry_for_every_call()
    {
        using var scope = NewDisposeScope();
        using var network = new Twice();
        var x = Seeded.Normal(1, [3, 1, 4, 4], ScalarType.Float64);
        var measured = stability.sensitivity(network, x, v => warps.translate(v, 0, 1));
        Assert.Equal([stability.Input, "relu", "filter", "relu:2", stability.Output], measured.Keys);   // "unused" is never called
        Assert.NotEqual(measured["relu"], measured["relu:2"]);
        Assert.Equal(measured["relu:2"], measured[stability.Output]);
        Assert.Equal(measured["relu"], stability.sensitivity(nn.Sequential(("relu", nn.ReLU())), x, v => warps.translate(v, 0, 1))["relu"]);
        Assert.Equal(["relu", "relu:2"], stability.sensitivity(network, x, v => v, ["relu"]).Keys);
    }

    [Fact]
    public void Layers_that_work_in_place_change_neither_what_came_before_nor_the_images()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [3, 1, 4, 4]);
        var kept = x.clone();
        using var network = nn.Sequential(("same", nn.Identity()), ("relu", nn.ReLU(inplace: true)));
        using var apart = nn.Sequential(("same", nn.Identity()), ("relu", nn.ReLU()));
        Tensor Warp(Tensor v) => warps.scale(v.mul_(2), 1.3);
        Assert.Equal(stability.sensitivity(apart, x, Warp), stability.sensitivity(network, x, Warp));
        Tolerance.AssertClose(kept, x, 0);
    }

    [Fact]
    public void Names_of_nested_layers_and_mode_are_the_callers()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Sequential(
            ("block", nn.Sequential(("conv", nn.Conv2d(1, 2, 3)), ("drop", nn.Dropout(0.5)))), ("head", nn.Sequential(("flat", nn.Flatten()), ("fc", nn.Linear(8, 3)))));
        var x = Seeded.Normal(1, [3, 1, 4, 4]);
        network.eval();
        var measured = stability.sensitivity(network, x, v => warps.rotate(v, 180), ["head.fc", "block", stability.Input]);
        Assert.Equal([stability.Input, "block", "head.fc"], measured.Keys);
        Assert.False(network.training);
        Assert.Equal(0, stability.sensitivity(network, x, v => v)["block.drop"]);
        network.train();
        Assert.True(stability.sensitivity(network, x, v => v)["block.drop"] > 0.1);   // the draws differ
        Assert.True(network.training);
    }

    [Fact]
    public void Layers_of_two_inputs_count_and_layers_of_two_outputs_do_not()
    {
        using var scope = NewDisposeScope();
        using var network = new Both();
        var x = Seeded.Normal(1, [3, 1, 4, 4]);
        Assert.Equal([stability.Input, "join", stability.Output], stability.sensitivity(network, x, v => v).Keys);
        var refusal = Assert.Throws<ArgumentException>("layers", () => stability.sensitivity(network, x, v => v, ["split"]));
        Assert.Contains("expected layers that make one tensor of one to three, got \"split\", a Split", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Hooks_and_tensors_are_gone_after_a_measure_and_after_an_exception()
    {
        using var scope = NewDisposeScope();
        using var failing = new Failing();
        using var network = nn.Sequential(("same", nn.Identity()), ("conv", nn.Conv2d(1, 2, 3, bias: false)), ("failing", failing));
        var x = Seeded.Normal(1, [3, 1, 4, 4]);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var seen = 0;
        stability.sensitivity(network, x, v =>
        {
            seen++;
            return v.flip(2);
        });
        AssertGone();
        failing.After = failing.Calls + 2;   // in the run of the changed images
        Assert.Throws<InvalidDataException>(() => stability.sensitivity(network, x, v => v));
        AssertGone();
        Assert.Throws<InvalidDataException>(() => stability.sensitivity(network, x, _ => throw new InvalidDataException()));
        AssertGone();
        Assert.Equal(1, seen);

        void AssertGone()
        {
            Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
            Assert.Equal(0, network.named_modules().Sum(child => Hooks(child.module)) + Hooks(network));
            Assert.True(is_grad_enabled());
        }
    }

    [Fact]
    public void Float32_counts_in_float64()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Sequential(("same", nn.Identity()));

        // Two orthogonal images; the change turns each by 1e-5: 1 − cos = 5e-11, which float32 cannot tell from 0.
        var x = tensor(new float[,] { { 1, 0, 0 }, { 0, 1, 0 } }).view(2, 1, 1, 3);
        var measured = stability.sensitivity(network, x, v => v + tensor(new[] { 0, 0, 1e-5f }));
        Assert.Equal(5e-11, measured["same"], 1e-15);
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        using var network = new Twice();
        var x = rand(3, 1, 4, 4);
        Contains("images", "expected two images at least, got (1, 1, 4, 4)", () => stability.sensitivity(network, x[..1], v => v));
        Contains("transform", "expected the shape (3, 1, 4, 4)", () => stability.sensitivity(network, x, v => v[..2]));
        Contains("transform", "expected Float32", () => stability.sensitivity(network, x, v => v.@double()));
        Contains("layers", "expected layers among (input), (output), relu, filter, unused, got \"conv9\"", () => stability.sensitivity(network, x, v => v, ["relu", "conv9"]));
        Contains("layers", "expected names of layers, got none", () => stability.sensitivity(network, x, v => v, []));
        Contains("layers", "got none of \"unused\"", () => stability.sensitivity(network, x, v => v, ["unused"]));
        using var mean = nn.Sequential(("sum", new Sum()));
        Contains("layers", "expected real numbers (N, …) of the 3 images from every layer, got Float32 () from \"sum\"", () => stability.sensitivity(mean, x, v => v));
        using var fickle = new Fickle();
        Contains("layers", "got none of the layer \"relu\"", () => stability.sensitivity(fickle, x, v => v, ["relu"]));
        fickle.Calls = 1;
        Contains("layers", "got one more of the layer \"relu\"", () => stability.sensitivity(fickle, x, v => v, ["relu"]));
        Assert.Throws<ArgumentNullException>("transform", () => stability.sensitivity(network, x, null!));

        static void Contains(string name, string expected, Action action) =>
            Assert.Contains(expected, Assert.Throws<ArgumentException>(name, action).Message, StringComparison.Ordinal);
    }

    private static double[][] Rows(Tensor x) => [.. Enumerable.Range(0, (int)x.size(0)).Select(n => x[n].contiguous().data<double>().ToArray())];

    private static double Distance(double[] a, double[] b) =>
        1 - a.Zip(b, (x, y) => x * y).Sum() / (Math.Sqrt(a.Sum(x => x * x)) * Math.Sqrt(b.Sum(x => x * x)));

    private static int Hooks(nn.Module module)
    {
        var field = module.GetType().GetField("post_hooks", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!;
        return ((System.Collections.ICollection)field.GetValue(module)!).Count;
    }

    private sealed class OnePixel(int row, int column) : nn.Module<Tensor, Tensor>(nameof(OnePixel))
    {
        public override Tensor forward(Tensor x) => x.select(2, row).select(2, column).clone();
    }

    private sealed class Times(double factor) : nn.Module<Tensor, Tensor>(nameof(Times))
    {
        public override Tensor forward(Tensor x) => x * factor;
    }

    private sealed class Sum() : nn.Module<Tensor, Tensor>(nameof(Sum))
    {
        public override Tensor forward(Tensor x) => x.sum();
    }

    private sealed class Twice : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> relu = nn.ReLU(), filter = new Times(-1), unused = nn.ReLU();

        public Twice()
            : base(nameof(Twice)) => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            _ = unused;
            return relu.call(filter.call(relu.call(x) - 0.25)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Fickle : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> relu = nn.ReLU();

        public Fickle()
            : base(nameof(Fickle)) => RegisterComponents();

        /// <summary>Even before a run: relu is called once; odd: not.</summary>
        public int Calls { get; set; }

        public override Tensor forward(Tensor x) => Calls++ % 2 == 0 ? relu.call(x) : x.clone();
    }

    private sealed class Split() : nn.Module<Tensor, (Tensor, Tensor)>(nameof(Split))
    {
        public override (Tensor, Tensor) forward(Tensor x) => (x * 2, x * 3);
    }

    private sealed class Join() : nn.Module<Tensor, Tensor, Tensor>(nameof(Join))
    {
        public override Tensor forward(Tensor x, Tensor y) => x + y;
    }

    private sealed class Both : nn.Module<Tensor, Tensor>
    {
        private readonly Split split = new();
        private readonly Join join = new();

        public Both()
            : base(nameof(Both)) => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            var (a, b) = split.call(x);
            return join.call(a, b);
        }
    }

    private sealed class Failing() : nn.Module<Tensor, Tensor>(nameof(Failing))
    {
        public int Calls { get; private set; }

        public int After { get; set; } = int.MaxValue;

        public override Tensor forward(Tensor x) => ++Calls >= After ? throw new InvalidDataException() : x.clone();
    }
}
