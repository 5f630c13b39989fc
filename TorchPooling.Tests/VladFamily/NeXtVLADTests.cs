using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class NeXtVLADTests
{
    [Fact]
    public void The_layer_equals_the_loops_of_the_paper()
    {
        using var scope = NewDisposeScope();
        var layer = Random(5, 4, 3, 2);
        var x = Seeded.Normal(1, [2, 4, 3, 2], ScalarType.Float64);
        Tolerance.AssertClose(Loops(layer, x, 2), layer.call(x));
        Tolerance.AssertClose(layer.call(x), layer.call(x.flatten(2)));
    }

    [Fact]
    public void One_group_without_expansion_and_with_open_attention_is_NetVLAD_of_raw_descriptors_times_the_root_of_K()
    {
        using var scope = NewDisposeScope();
        var layer = new NeXtVLAD(4, 3, expansion: 1, groups: 1, dtype: ScalarType.Float64);
        var netvlad = new NetVLAD(4, 3, normalize_input: false, bias: true, dtype: ScalarType.Float64);
        var centers = Seeded.Normal(2, [4, 3], ScalarType.Float64);
        layer.set_centroids(centers, 0.7);
        netvlad.set_centroids(centers, 0.7);
        using var gradients = no_grad();
        var state = layer.state_dict();
        state["expansion.weight"].copy_(eye(3));
        state["expansion.bias"].zero_();
        state["attention.weight"].zero_();
        state["attention.bias"].fill_(100);
        var x = Seeded.Normal(3, [2, 3, 4, 5], ScalarType.Float64);
        Tolerance.AssertClose(netvlad.call(x) * 2, layer.call(x));   // √4
        Tolerance.AssertClose(full(2, 2.0, dtype: ScalarType.Float64), layer.call(x).norm(1));
    }

    [Fact]
    public void Masked_descriptors_count_as_if_they_were_not_there()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var layer = Random(3, 4, 2, 4);
        var x = Seeded.Normal(4, [2, 4, 6], ScalarType.Float64);
        var mask = ones(2, 6, dtype: ScalarType.Bool);
        mask[0, 4..] = false;
        mask[1] = false;
        var padded = x.clone();
        padded[0, .., 4..] = double.NaN;
        padded.requires_grad_();
        var y = layer.forward(padded, mask);
        Tolerance.AssertClose(layer.call(x.narrow(2, 0, 4))[0], y[0]);
        Tolerance.AssertClose(zeros_like(y[1]), y[1], 0);
        y.sum().backward();
        Assert.True(padded.grad!.isfinite().all().ToBoolean());

        // A weight of 2 is the descriptor twice.
        var weights = tensor(new double[,] { { 1, 2, 1, 0, 0, 0 }, { 1, 1, 1, 1, 1, 1 } });
        var twice = cat([x[0, .., ..3], x[0, .., 1..2]], 1).unsqueeze(0);
        Tolerance.AssertClose(layer.call(twice)[0], layer.forward(x, weights)[0]);

        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(y, script.call(padded, mask));
        Tolerance.AssertClose(layer.forward(x, weights), script.call(x, weights));
    }

    [Fact]
    public void Initialize_assigns_each_group_to_its_nearest_centre_with_a_contrast_of_100()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var layer = new NeXtVLAD(4, 6, expansion: 1, groups: 2);
        var state = layer.state_dict();
        using (no_grad())
        {
            state["expansion.weight"].copy_(eye(6));
            state["expansion.bias"].zero_();
        }

        var true_centers = randn([4, 3], generator: generator) * 3;
        var groups = true_centers.repeat(500, 1) + randn([2000, 3], generator: generator) * 0.02;
        var order = randperm(2000, generator: generator);
        var start = layer.Initialize(groups.index_select(0, order).view(1000, 6));

        var centers = state["centroids"];
        var (near, number) = cdist(true_centers, centers).min(1);
        Assert.True(near.max().ToDouble() < 0.02);
        Assert.Equal(4, number.unique().output.numel());
        Assert.Equal(1, start.UsedClusters);
        Assert.InRange(start.Contrast, 99, 101);
        var weight = state["assign.weight"].view(2, 4, 2, 3);
        Tolerance.AssertClose(centers * (2 * start.Alpha), weight[1, .., 1], 1e-5);
        Tolerance.AssertClose(zeros(4, 3), weight[1, .., 0], 0);
        Tolerance.AssertClose(centers.square().sum(1) * -start.Alpha, state["assign.bias"][4..], 1e-5);
        Assert.Equal(start, layer.Initialize(groups.index_select(0, order).view(1000, 6)));
    }

    [Fact]
    public void A_layer_in_half_precision_starts_from_descriptors_that_it_does_not_round()
    {
        using var scope = NewDisposeScope();
        var layer = new NeXtVLAD(2, 4, expansion: 1, groups: 2, dtype: ScalarType.BFloat16);
        using (no_grad())
        {
            layer.state_dict()["expansion.weight"].copy_(eye(4));
            layer.state_dict()["expansion.bias"].zero_();
        }

        var near = Seeded.Normal(1, [200, 2]) * 1e-3 + 1;   // bfloat16 has steps of 1/128 there
        var descriptors = cat([near, near * 2], 1);
        var start = layer.Initialize(descriptors);
        var expected = cat([near - near.mean([0]), (near - near.mean([0])) * 2], 0).square().sum(1).mean().ToDouble();
        Assert.Equal(expected, start.QuantizationError, expected * 0.01);
    }

    [Fact]
    public void State_dict_names_what_the_paper_names()
    {
        using var layer = new NeXtVLAD(5, 6, expansion: 2, groups: 3);
        var shapes = layer.state_dict().ToDictionary(entry => entry.Key, entry => string.Join("×", entry.Value.shape));
        Assert.Equal(7, shapes.Count);
        Assert.Equal(("12×6", "12"), (shapes["expansion.weight"], shapes["expansion.bias"]));
        Assert.Equal(("3×12", "3"), (shapes["attention.weight"], shapes["attention.bias"]));
        Assert.Equal(("15×12", "15"), (shapes["assign.weight"], shapes["assign.bias"]));
        Assert.Equal("5×4", shapes["centroids"]);
        Assert.Equal(20, layer.output_length);
    }

    [Fact]
    public void Zero_descriptors_have_finite_gradients()
    {
        using var scope = NewDisposeScope();
        var layer = new NeXtVLAD(3, 4, 2, 2);
        using (no_grad())
        {
            layer.state_dict()["expansion.bias"].zero_();
            layer.state_dict()["centroids"].zero_();   // so that every residual is zero
        }

        var x = zeros(2, 4, 2, 2).requires_grad_();
        var y = layer.call(x);
        y.sum().backward();
        Tolerance.AssertClose(zeros(2, 12), y, 0);
        Assert.True(x.grad!.isfinite().all().ToBoolean());
        Assert.All(layer.parameters(), p => Assert.True(p.grad!.isfinite().all().ToBoolean()));
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var layer = new NeXtVLAD(4, 3, 2, 2);
        Refused<ArgumentException>("expected a divisor of 2·3 (expansion·dim), got 4 groups", () => new NeXtVLAD(4, 3, 2, 4));
        Refused<ArgumentOutOfRangeException>("num_clusters", () => new NeXtVLAD(0, 3));
        Refused<ArgumentOutOfRangeException>("groups", () => new NeXtVLAD(4, 3, 2, 0));
        Refused<ArgumentOutOfRangeException>("expansion", () => new NeXtVLAD(4, 3, -1, 1));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", () => new NeXtVLAD(4, 3, 2, 2, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected the shape (1, 8), got 2 dimensions (1, 7)", () => layer.forward(rand(1, 3, 8), ones(1, 7)));
        Refused<ArgumentException>("expected a matrix (M ≥ 2, 3), got 2 dimensions (1, 3)", () => layer.Initialize(rand(1, 3)));
        Refused<ArgumentException>("expected the shape (4, 3), got 2 dimensions (3, 3)", () => layer.set_centroids(rand(3, 3), 1));
        Refused<ArgumentException>("expected finite centres", () => layer.set_centroids(full(4, 3, float.NaN), 1));
        Refused<ArgumentOutOfRangeException>("expected a positive, finite number", () => layer.set_centroids(rand(4, 3), 0));
        Refused<ArgumentOutOfRangeException>("the weights overflow Float16", () => new NeXtVLAD(4, 3, 2, 2, dtype: ScalarType.Float16).set_centroids(rand(4, 3), 1e6));
        Refused<ArgumentException>(
            "expected centres that Float16 holds, got up to 1E+05",
            () => new NeXtVLAD(4, 3, 2, 2, dtype: ScalarType.Float16).set_centroids(full(4, 3, 1e5), 1e-9));
        var x = rand(1, 3, 5);
        Refused<ArgumentException>("expected a number of groups that divides 6 (λ·D), got 4", () => pooling.nextvlad(x, rand(6, 3), rand(4, 6), rand(8, 6), rand(2, 3)));
        Refused<ArgumentException>("expected the shape (4, 6), got 2 dimensions (3, 6)", () => pooling.nextvlad(x, rand(6, 3), rand(2, 6), rand(3, 6), rand(2, 3)));
        Refused<ArgumentException>("expected a matrix (M ≥ 1, 3), got 2 dimensions (2, 4)", () => pooling.nextvlad(x, rand(6, 3), rand(2, 6), rand(4, 6), rand(2, 4)));
        Refused<ArgumentException>("expected the shape (6), got 1 dimensions (5)", () => pooling.nextvlad(x, rand(6, 3), rand(2, 6), rand(4, 6), rand(2, 3), rand(5)));
        Tensor Wide(params long[] shape) => rand(shape, dtype: ScalarType.Float64);
        Refused<ArgumentException>("got Float64 on cpu (Parameter 'x')", () => pooling.nextvlad(Wide(1, 3, 5), rand(6, 3), rand(2, 6), rand(4, 6), rand(2, 3)));
        Refused<ArgumentException>("got Float64 on cpu (Parameter 'attention')", () => pooling.nextvlad(x, rand(6, 3), Wide(2, 6), rand(4, 6), rand(2, 3)));
        Refused<ArgumentException>("got Float64 on cpu (Parameter 'assign')", () => pooling.nextvlad(x, rand(6, 3), rand(2, 6), Wide(4, 6), rand(2, 3)));
        Refused<ArgumentException>("got Float64 on cpu (Parameter 'centroids')", () => pooling.nextvlad(x, rand(6, 3), rand(2, 6), rand(4, 6), Wide(2, 3)));
        Refused<ArgumentException>("got Float64 on cpu (Parameter 'attention_bias')", () => pooling.nextvlad(x, rand(6, 3), rand(2, 6), rand(4, 6), rand(2, 3), null, Wide(2)));

        static void Refused<T>(string message, Action action)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
    }

    /// <summary>A layer whose assignments see other groups, as after training.</summary>
    private static NeXtVLAD Random(long clusters, long dim, long expansion, long groups)
    {
        var layer = new NeXtVLAD(clusters, dim, expansion, groups, dtype: ScalarType.Float64);
        using var gradients = no_grad();
        using var generator = new Generator(6);
        foreach (var parameter in layer.parameters())
        {
            parameter.normal_(generator: generator);
        }

        return layer;
    }

    /// <summary>The sums of the paper with scalar loops over descriptors, groups, clusters and entries.</summary>
    private static Tensor Loops(NeXtVLAD layer, Tensor x, int groups)
    {
        var state = layer.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.flatten().data<double>().ToArray());
        var (k, d, n) = ((int)layer.state_dict()["centroids"].size(0), (int)x.size(1), (int)x.size(0));
        var expanded = state["expansion.bias"].Length;
        var length = expanded / groups;
        var m = (int)(x.numel() / (n * d));
        var values = x.contiguous().data<double>().ToArray();
        var result = new double[n * k * length];
        for (var image = 0; image < n; image++)
        {
            var v = new double[k, length];
            for (var i = 0; i < m; i++)
            {
                var point = Enumerable.Range(0, d).Select(e => values[(image * d + e) * m + i]).ToArray();
                var wide = Rows("expansion", point);
                var gates = Rows("attention", wide).Select(logit => 1 / (1 + Math.Exp(-logit))).ToArray();
                var logits = Rows("assign", wide);
                for (var g = 0; g < groups; g++)
                {
                    var total = Enumerable.Range(0, k).Sum(j => Math.Exp(logits[g * k + j]));
                    for (var j = 0; j < k; j++)
                    {
                        for (var e = 0; e < length; e++)
                        {
                            v[j, e] += gates[g] * Math.Exp(logits[g * k + j]) / total * (wide[g * length + e] - state["centroids"][j * length + e]);
                        }
                    }
                }
            }

            for (var j = 0; j < k; j++)
            {
                var norm = Math.Sqrt(Enumerable.Range(0, length).Sum(e => v[j, e] * v[j, e]));
                for (var e = 0; e < length; e++)
                {
                    result[(image * k + j) * length + e] = v[j, e] / norm;
                }
            }
        }

        return tensor(result).reshape(n, k * length);

        double[] Rows(string name, double[] vector) => [.. state[name + ".bias"].Select((bias, row) =>
            bias + vector.Select((value, e) => value * state[name + ".weight"][row * vector.Length + e]).Sum())];
    }
}
