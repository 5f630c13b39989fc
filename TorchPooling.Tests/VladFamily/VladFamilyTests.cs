using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

/// <summary>The layers against their papers' sums, written as loops, and against each other where one contains the other.</summary>
public class VladFamilyTests
{
    private const int D = 5;

    public static TheoryData<bool, bool> BiasAndUnit => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [InlineData(VladNormalization.Intra, true)]
    [InlineData(VladNormalization.Intra, false)]
    [InlineData(VladNormalization.SignedSqrt, true)]
    [InlineData(VladNormalization.SignedSqrt, false)]
    [InlineData(VladNormalization.None, true)]
    [InlineData(VladNormalization.None, false)]
    public void Vlad_gives_each_descriptor_to_its_nearest_centre(VladNormalization normalization, bool unit)
    {
        using var scope = NewDisposeScope();
        var layer = new Vlad(4, D, normalization, unit, dtype: ScalarType.Float64);
        Randomize(layer);
        var (x, c) = (Map(), Formulas.Rows(layer.state_dict()["centroids"]));
        var expected = Formulas.Batch(x, n =>
        {
            var sums = Formulas.Sum(Formulas.Descriptors(x, n, unit), p => Formulas.Nearest(p, c), 4, D, (p, k, d) => p[d] - c[k][d]);
            double[] flat = [.. sums.SelectMany(row => row)];
            return normalization switch
            {
                VladNormalization.Intra => Formulas.Intra(sums),
                VladNormalization.SignedSqrt => Formulas.Unit(Formulas.SignedSqrt(flat)),
                _ => Formulas.Unit(flat),
            };
        });
        Tolerance.AssertClose(expected, layer.call(x));
        using var folder = new TemporaryFolder();
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(expected, script.call(x));
    }

    [Fact]
    public void Vlad_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[,] { { 0, 1, 4 }, { 0, 2, 4 } }).unsqueeze(0);   // (0,0), (1,2), (4,4)
        var c = tensor(new float[,] { { 0, 1 }, { 4, 0 } });   // the first two are nearer to (0,1), the third to (4,0)

        // Residuals (0,−1) + (1,1) = (1,0), and (0,4); each to unit length, the whole over √2.
        var root = MathF.Sqrt(0.5f);
        Tolerance.AssertClose(tensor(new[] { root, 0, 0, root }).unsqueeze(0), pooling.vlad(x, c, normalize_input: false));

        // √1 and √4: (1, 0, 0, 2) over √5.
        Tolerance.AssertClose(
            tensor(new[] { 1 / MathF.Sqrt(5), 0, 0, 2 / MathF.Sqrt(5) }).unsqueeze(0),
            pooling.vlad(x, c, VladNormalization.SignedSqrt, normalize_input: false));

        // (1, 0, 0, 4) over √17.
        Tolerance.AssertClose(
            tensor(new[] { 1 / MathF.Sqrt(17), 0, 0, 4 / MathF.Sqrt(17) }).unsqueeze(0),
            pooling.vlad(x, c, VladNormalization.None, normalize_input: false));
    }

    [Fact]
    public void Vlad_finds_the_nearest_centre_far_from_the_origin()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var centers = Seeded.Normal(1, [8, D]) + 4096;   // x and c are some 4096·√5 long, and differ by about 1
        var x = Seeded.Normal(2, [1, D, 400]) + 4096;
        var layer = new Vlad(8, D, normalize_input: false);
        layer.set_centroids(centers, 1);
        var nearest = cdist(x[0].t().to(ScalarType.Float64), centers.to(ScalarType.Float64)).argmin(1);
        Assert.Equal(nearest.data<long>().ToArray(), layer.assignment(x)[0].argmax(0).data<long>().ToArray());
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(layer.call(x), script.call(x));
        layer.to(ScalarType.Float64);
        var wide = layer.call(x.to(ScalarType.Float64)).to(ScalarType.Float32);
        Tolerance.AssertClose(wide, script.call(x), 0.01);   // sums of residuals lose digits, but no descriptor
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NetVLAD_with_bias_becomes_Vlad_as_alpha_grows(bool unit)
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(4, D, unit, bias: true, dtype: ScalarType.Float64);
        var (x, centers) = (Map(), Seeded.Normal(1, [4, D], ScalarType.Float64));
        var hard = pooling.vlad(x, centers, normalize_input: unit);
        Assert.True(Gap(1) > 0.01);
        Assert.True(Gap(1e6) < 1e-9, $"still {Gap(1e6)} from VLAD");

        double Gap(double alpha)
        {
            layer.set_centroids(centers, alpha);
            return (layer.call(x) - hard).abs().max().ToDouble();
        }
    }

    [Fact]
    public void No_gradient_of_Vlad_passes_through_the_choice_of_the_centre()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 6, dtype: ScalarType.Float64).requires_grad_();
        var c = rand(3, 2, dtype: ScalarType.Float64).requires_grad_();
        var a = pooling.hard_assignment(x, c);
        Assert.False(a.requires_grad);
        Assert.Equal(6, a.sum().ToDouble());
        pooling.vlad(x, c).sum().backward();
        Assert.True(c.grad!.abs().sum().ToDouble() > 0);
    }

    [Theory, MemberData(nameof(BiasAndUnit))]
    public void GhostVLAD_leaves_its_last_clusters_out_of_the_output_only(bool bias, bool unit)
    {
        using var scope = NewDisposeScope();
        var layer = new GhostVLAD(3, D, 2, unit, bias, dtype: ScalarType.Float64);
        Randomize(layer);
        var (x, (w, b, c)) = (Map(), State(layer));
        Assert.Equal(5, w.Length);
        var expected = Formulas.Batch(x, n => Formulas.Intra(
            Formulas.Sum(Formulas.Descriptors(x, n, unit), p => Formulas.Softmax(p, w, b), 3, D, (p, k, d) => p[d] - c[k][d])));
        Tolerance.AssertClose(expected, layer.call(x));
        Assert.Equal([2, 5, 4, 3], layer.assignment(x).shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GhostVLAD_without_ghosts_is_NetVLAD(bool bias)
    {
        using var scope = NewDisposeScope();
        var ghost = new GhostVLAD(4, D, 0, bias: bias);
        Randomize(ghost);
        var plain = new NetVLAD(4, D, bias: bias);
        plain.load_state_dict(ghost.state_dict());
        var x = Map().to(ScalarType.Float32);
        Tolerance.AssertClose(plain.call(x), ghost.call(x), 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ActionVLAD_sums_over_space_and_time(bool unit)
    {
        using var scope = NewDisposeScope();
        var layer = new ActionVLAD(3, D, alpha: 2.5, normalize_input: unit, dtype: ScalarType.Float64);
        Randomize(layer, keep: "alpha");
        using var generator = new Generator(4);
        var x = randn([2, 3, D, 4, 2], dtype: ScalarType.Float64, generator: generator);
        var c = Formulas.Rows(layer.state_dict()["centroids"]);
        var expected = Formulas.Batch(x, n =>
        {
            var frames = Enumerable.Range(0, 3).SelectMany(t => Formulas.Descriptors(x.select(1, t), n, unit)).ToArray();
            return Formulas.Intra(Formulas.Sum(frames, p => Formulas.SoftmaxOfDistances(p, c, 2.5), 3, D, (p, k, d) => p[d] - c[k][d]));
        });
        Tolerance.AssertClose(expected, layer.call(x));
    }

    [Fact]
    public void ActionVLAD_of_one_frame_is_NetVLAD_at_the_start_of_its_paper()
    {
        using var scope = NewDisposeScope();
        var centers = randn(4, D, dtype: ScalarType.Float64);
        var action = new ActionVLAD(4, D, dtype: ScalarType.Float64);
        var net = new NetVLAD(4, D, bias: true, dtype: ScalarType.Float64);
        action.set_centroids(centers, 7);
        net.set_centroids(centers, 7);
        var x = Map();
        Tolerance.AssertClose(net.call(x), action.call(x.unsqueeze(1)));
        Assert.Equal(7, action.state_dict()["alpha"].ToDouble());
    }

    [Fact]
    public void ActionVLAD_leaves_masked_frames_and_positions_out()
    {
        using var scope = NewDisposeScope();
        var layer = new ActionVLAD(3, D, alpha: 3, dtype: ScalarType.Float64);
        var x = randn([2, 4, D, 3, 2], dtype: ScalarType.Float64);
        var padded = x.clone();
        padded[0, 3] = double.NaN;
        padded[1, 2] = double.NaN;
        padded[1, 3] = double.NaN;
        var frames = tensor(new[,] { { true, true, true, false }, { true, true, false, false } });
        var expected = cat([layer.call(x.narrow(0, 0, 1).narrow(1, 0, 3)), layer.call(x.narrow(0, 1, 1).narrow(1, 0, 2))]);
        Tolerance.AssertClose(expected, layer.forward(padded, frames));
        Tolerance.AssertClose(expected, layer.forward(padded, frames.unsqueeze(2).unsqueeze(3).expand(2, 4, 3, 2).to(ScalarType.Float64)));

        using var folder = new TemporaryFolder();
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(expected, script.call(padded, frames));
        Tolerance.AssertClose(expected, script.call(padded, frames.unsqueeze(2).unsqueeze(3).expand(2, 4, 3, 2).to(ScalarType.Float64)));

        Refused("expected a video (N, T, C, H, W), got 4 dimensions (2, 5, 3, 2)", () => layer.call(x[0..2, 0]));
        Refused("expected a video (N, T, C, H, W) with T, C, H, W ≥ 1, got (2, 0, 5, 3, 2)", () => layer.call(x.narrow(1, 0, 0)));
        Refused("expected 5 channels, got a video (2, 4, 3, 3, 2) with 3", () => layer.call(x.narrow(2, 0, 3)));
        Refused("expected the shape (2, 4), got 2 dimensions (2, 3)", () => layer.forward(x, frames.narrow(1, 0, 3)));
        Refused("expected the shape (2, 4, 3, 2), got 1 dimensions (2)", () => layer.forward(x, ones(2)));
    }

    [Theory, MemberData(nameof(BiasAndUnit))]
    public void NetRVLAD_sums_the_descriptors_themselves(bool bias, bool unit)
    {
        using var scope = NewDisposeScope();
        var layer = new NetRVLAD(3, D, unit, bias, dtype: ScalarType.Float64);
        Randomize(layer);
        var (x, (w, b, _)) = (Map(), State(layer));
        var expected = Formulas.Batch(x, n => Formulas.Intra(
            Formulas.Sum(Formulas.Descriptors(x, n, unit), p => Formulas.Softmax(p, w, b), 3, D, (p, _, d) => p[d])));
        Tolerance.AssertClose(expected, layer.call(x));
    }

    [Theory, MemberData(nameof(BiasAndUnit))]
    public void SoftDBoW_sums_the_assignments(bool bias, bool unit)
    {
        using var scope = NewDisposeScope();
        var layer = new SoftDBoW(3, D, unit, bias, dtype: ScalarType.Float64);
        Randomize(layer);
        var (x, (w, b, _)) = (Map(), State(layer));
        var expected = Formulas.Batch(x, n => Formulas.Unit([..
            Formulas.Sum(Formulas.Descriptors(x, n, unit), p => Formulas.Softmax(p, w, b), 3, 1, (_, _, _) => 1).Select(row => row[0])]));
        Tolerance.AssertClose(expected, layer.call(x));
    }

    [Theory]
    [InlineData(FisherNormalization.Intra, true, true)]
    [InlineData(FisherNormalization.Published, true, false)]
    [InlineData(FisherNormalization.Intra, false, false)]
    [InlineData(FisherNormalization.Published, false, true)]
    public void NetFV_sums_deviations_of_first_and_second_order(FisherNormalization normalization, bool unit, bool bias)
    {
        using var scope = NewDisposeScope();
        var layer = new NetFV(3, D, normalization, unit, bias, dtype: ScalarType.Float64);
        Randomize(layer);
        var (x, (w, b, c)) = (Map(), State(layer));
        var sigma = Array.ConvertAll(Formulas.Rows(layer.state_dict()["covar_weights"]), row => Array.ConvertAll(row, s => s * s + 1e-6));
        var expected = Formulas.Batch(x, n =>
        {
            var points = Formulas.Descriptors(x, n, unit);
            double[][] Sum(Func<double[], int, int, double> term) => Formulas.Sum(points, p => Formulas.Softmax(p, w, b), 3, D, term);
            var first = Sum((p, k, d) => (p[d] - c[k][d]) / sigma[k][d]);
            var second = Sum((p, k, d) => Math.Pow((p[d] - c[k][d]) / sigma[k][d], 2) - 1);
            return
            [
                .. Formulas.Intra(first),
                .. normalization == FisherNormalization.Intra ? Formulas.Intra(second) : Formulas.Unit([.. second.SelectMany(row => row)]),
            ];
        });
        Tolerance.AssertClose(expected, layer.call(x), 1e-11);
    }

    [Fact]
    public void NetFV_starts_with_the_deviations_of_its_clusters()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var spread = tensor(new[,] { { 0.5, 0.1 }, { 0.2, 0.9 } });
        var points = cat([randn([5000, 2], ScalarType.Float64, generator: generator) * spread[0], randn([5000, 2], ScalarType.Float64, generator: generator) * spread[1] + 10]);
        var layer = new NetFV(2, 2, normalize_input: false, dtype: ScalarType.Float64);
        layer.Initialize(points);
        var state = layer.state_dict();
        var order = state["centroids"].select(1, 0).argsort();
        Tolerance.AssertClose(spread, state["covar_weights"].square().index_select(0, order), 0.02);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        Refused("num_ghosts", () => new GhostVLAD(2, 3, -1));
        Refused("expected Intra, SignedSqrt or None", () => new Vlad(2, 3, (VladNormalization)7));
        Refused("expected Intra or Published", () => new NetFV(2, 3, (FisherNormalization)7));
        Refused("expected a positive, finite number", () => new ActionVLAD(2, 3, alpha: -1));
        Refused("expected weights (K, D, 1, 1) or (K, D), got 1 dimensions (3)", () => pooling.netrvlad(rand(1, 3, 2), rand(3)));
        Refused("expected the shape (3, 2), got 2 dimensions (2, 3)", () => pooling.netfv(rand(1, 2, 4), rand(3, 2), rand(3, 2), covar_weights: rand(2, 3)));
        Refused("expected the shape (2, 3), got 2 dimensions (1, 3)", () => pooling.ghostvlad(rand(1, 3, 2), rand(1, 3), rand(2, 3)));
        Refused("expected the shape (), got 1 dimensions (1)", () => pooling.actionvlad(rand([1, 1, 3, 2, 2]), rand(2, 3), rand(1)));
    }

    private static void Refused(string message, Action action) =>
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);

    private static Tensor Map()
    {
        using var generator = new Generator(8);
        return randn([2, D, 4, 3], dtype: ScalarType.Float64, generator: generator);
    }

    /// <summary>Parameters that obey no start, so that each has its own part in the result.</summary>
    private static void Randomize(nn.Module module, string? keep = null)
    {
        using var gradients = no_grad();
        using var generator = new Generator(9);
        foreach (var (_, value) in module.state_dict().Where(item => item.Key != keep))
        {
            value.copy_(randn(value.shape, dtype: value.dtype, generator: generator) * 0.7);
        }
    }

    private static (double[][] W, double[]? B, double[][] C) State(nn.Module module)
    {
        var state = module.state_dict();
        return (
            Formulas.Rows(state["conv.weight"]),
            state.TryGetValue("conv.bias", out var bias) ? bias.data<double>().ToArray() : null,
            state.TryGetValue("centroids", out var centroids) ? Formulas.Rows(centroids) : []);
    }
}
