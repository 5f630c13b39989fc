using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class NetVLADTests
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void The_layer_equals_the_double_loop_of_the_paper(bool bias, bool normalize_input)
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(5, 7, normalize_input, bias, dtype: ScalarType.Float64);
        var x = randn(3, 7, 4, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(DoubleLoop(layer, x, normalize_input), layer.call(x));
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(1, 3)]
    [InlineData(3, 5)]
    [InlineData(1, 5)]
    public void Few_and_many_clusters_and_channels_last_maps_give_the_double_loop_and_its_script(long images, long clusters)
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(clusters, 7, dtype: ScalarType.Float64);
        var x = randn(images, 4, 6, 7, dtype: ScalarType.Float64).permute(0, 3, 1, 2);
        using var folder = new TemporaryFolder();
        var path = folder.File("layer.pt");
        torchscript.save(layer, path, x);
        using var script = torchscript.load<Tensor, Tensor>(path);
        var expected = DoubleLoop(layer, x, normalize_input: true);
        Tolerance.AssertClose(expected, layer.call(x));
        Tolerance.AssertClose(expected, script.call(x));
    }

    [Fact]
    public void One_descriptor_and_one_cluster_give_the_residual_s_direction()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 3f, 4 }).reshape(1, 2, 1, 1);
        var y = pooling.netvlad(x, ones(1, 2), tensor(new[] { 0.6f, 0 }).reshape(1, 2));   // x̂ = (0.6, 0.8), residual (0, 0.8)
        Tolerance.AssertClose(tensor(new[] { 0f, 1 }).reshape(1, 2), y);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_starts_become_hard_VLAD_as_alpha_grows(bool bias)
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(4, 6, bias: bias, dtype: ScalarType.Float64);
        using var generator = new Generator(5);
        var x = randn([2, 6, 5, 5], dtype: ScalarType.Float64, generator: generator);
        var centers = randn([4, 6], dtype: ScalarType.Float64, generator: generator);
        var hard = HardVlad(x, centers, nearest: bias);
        Assert.True(Gap(1) > 0.01);
        Assert.True(Gap(1e6) < 1e-9, $"still {Gap(1e6)} from hard VLAD");

        double Gap(double alpha)
        {
            layer.set_centroids(centers, alpha);
            return (layer.call(x) - hard).abs().max().ToDouble();
        }
    }

    [Fact]
    public void The_assignment_map_sums_to_one_and_gives_back_the_layer_s_output()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(3, 4, bias: true, dtype: ScalarType.Float64);
        var x = randn(2, 4, 3, 5, dtype: ScalarType.Float64);
        var a = layer.assignment(x);
        Assert.Equal([2, 3, 3, 5], a.shape);
        Tolerance.AssertClose(ones(2, 3, 5, dtype: ScalarType.Float64), a.sum(1));

        var points = nn.functional.normalize(x, dim: 1).unsqueeze(1);   // (N, 1, D, H, W)
        var centers = layer.state_dict()["centroids"].reshape(1, 3, 4, 1, 1);
        var v = (a.unsqueeze(2) * (points - centers)).sum([3, 4]);
        Tolerance.AssertClose(nn.functional.normalize(nn.functional.normalize(v, dim: 2).flatten(1), dim: 1), layer.call(x));
    }

    [Fact]
    public void Zero_descriptors_have_a_zero_gradient_and_count_as_residuals_from_the_origin()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(3, 4);
        var x = zeros(2, 4, 2, 2);
        x[1, 0, 0, 0] = 2;
        x.requires_grad_();
        var y = layer.call(x);
        y.square().sum().backward();
        Assert.True(y.isfinite().all().ToBoolean());
        Assert.True(x.grad!.isfinite().all().ToBoolean());
        Assert.Equal(0, x.grad[0].abs().max().ToDouble());
        Assert.All(layer.parameters(), p => Assert.True(p.grad!.isfinite().all().ToBoolean()));
    }

    [Fact]
    public void State_dict_has_the_keys_of_the_PyTorch_ports()
    {
        using var plain = new NetVLAD(3, 4);
        using var with_bias = new NetVLAD(3, 4, bias: true);
        Assert.Equal(["centroids", "conv.weight"], plain.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["centroids", "conv.bias", "conv.weight"], with_bias.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal([3, 4, 1, 1], plain.state_dict()["conv.weight"].shape);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Initialize_finds_the_clusters_and_the_contrast_of_100(bool bias)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var true_centers = pooling.l2_normalize(randn([4, 8], generator: generator));
        var noise = randn([4000, 8], generator: generator) * 0.02;
        var points = true_centers.repeat(1000, 1) + noise;
        var layer = new NetVLAD(4, 8, bias: bias);
        var start = layer.Initialize(points * 5);   // normalised inside
        var alpha = start.Alpha;

        var centers = layer.state_dict()["centroids"];
        var nearest = cdist(true_centers, centers).min(1);
        Assert.True(nearest.values.max().ToDouble() < 0.02);
        Assert.Equal(4, nearest.indexes.unique().output.numel());

        // α of the definition, from the float64 distances of every point.
        var wide = pooling.l2_normalize(points).to(ScalarType.Float64);
        var c = centers.to(ScalarType.Float64);
        var scores = bias ? -(wide.unsqueeze(1) - c).square().sum(2) : wide.matmul(pooling.l2_normalize(c).t());
        var (sorted, _) = scores.sort(1, descending: true);
        var expected = Math.Log(100) / (sorted.select(1, 0) - sorted.select(1, 1)).mean().ToDouble();
        Assert.Equal(expected, alpha, expected * 1e-4);
        var weight = layer.state_dict()["conv.weight"].flatten(1);
        Tolerance.AssertClose(bias ? centers * (2 * alpha) : pooling.l2_normalize(centers) * alpha, weight, 1e-5);
        if (bias)
        {
            Tolerance.AssertClose(centers.square().sum(1) * -alpha, layer.state_dict()["conv.bias"], 1e-5);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Centres_go_into_the_parameters_of_every_layer(bool bias)
    {
        using var scope = NewDisposeScope();
        var c = randn(5, 3);
        foreach (var layer in new ClusterPooling[]
        {
            new NetVLAD(5, 3, bias: bias), new GhostVLAD(3, 3, num_ghosts: 2, bias: bias), new PatchNetVLAD(5, 3, [2], bias: bias),
            new NetRVLAD(5, 3, bias: bias), new SoftDBoW(5, 3, bias: bias), new NetFV(5, 3, bias: bias), new Vlad(5, 3), new ActionVLAD(5, 3),
        })
        {
            layer.set_centroids(c, 4);
            var state = layer.state_dict();
            if (state.TryGetValue("centroids", out var centroids))
            {
                Tolerance.AssertClose(layer is GhostVLAD ? c[..3] : c, centroids, 0);
            }

            if (state.TryGetValue("conv.weight", out var weight))
            {
                Tolerance.AssertClose(bias ? c * 8 : c / c.norm(1, keepdim: true) * 4, weight.flatten(1));
            }

            if (state.TryGetValue("conv.bias", out var b))
            {
                Tolerance.AssertClose(c.square().sum(1) * -4, b);
            }

            Assert.Equal(layer is not (NetRVLAD or SoftDBoW), state.ContainsKey("centroids"));
            Assert.Equal(bias && layer is not (Vlad or ActionVLAD), state.ContainsKey("conv.bias"));
        }
    }

    [Fact]
    public void Initialize_in_mini_batches_takes_their_centres()
    {
        using var scope = NewDisposeScope();
        var points = randn(500, 8);
        var layer = new NetVLAD(6, 8);
        layer.Initialize(points, 3, 1, batch_size: 64);
        Tolerance.AssertClose(KMeans.Fit(pooling.l2_normalize(points), 6, 3, 1, batch_size: 64), layer.state_dict()["centroids"], 0);
    }

    [Fact]
    public void Initialize_repeats_with_its_seed_and_differs_with_another()
    {
        using var scope = NewDisposeScope();
        var points = randn(500, 8);
        Assert.Equal(Centers(1), Centers(1));
        Assert.NotEqual(Centers(1), Centers(2));

        float[] Centers(int seed)
        {
            var layer = new NetVLAD(6, 8);
            layer.Initialize(points, seed: seed);
            return layer.state_dict()["centroids"].data<float>().ToArray();
        }
    }

    [Fact]
    public void No_cluster_stays_empty_though_most_points_are_equal()
    {
        using var scope = NewDisposeScope();
        var points = cat([zeros(1000, 2).add_(1), eye(2), -eye(2)]);
        var layer = new NetVLAD(5, 2, normalize_input: false, bias: true);
        layer.Initialize(points);
        var centers = layer.state_dict()["centroids"];
        Assert.True(cdist(points, centers).amin([1]).max().ToDouble() < 1e-5);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(4, 3);
        Refused<ArgumentOutOfRangeException>("num_clusters", () => new NetVLAD(0, 3));
        Refused<ArgumentOutOfRangeException>("dim", () => new NetVLAD(4, -1));
        Refused<ArgumentException>("expected a matrix (M ≥ 4, 3), got 2 dimensions (3, 3)", () => layer.Initialize(rand(3, 3)));
        Refused<ArgumentException>("expected a matrix (M ≥ 4, 3), got 3 dimensions (9, 3, 1)", () => layer.Initialize(rand(9, 3, 1)));
        Refused<ArgumentException>("expected finite descriptors", () => layer.Initialize(full(9, 3, float.NaN)));
        Refused<ArgumentException>("expected at least 4 distinct descriptors, got 1", () => layer.Initialize(ones(9, 3)));
        Refused<ArgumentOutOfRangeException>("iterations", () => layer.Initialize(rand(9, 3), iterations: 0));
        Refused<ArgumentException>("expected the shape (4, 3), got 2 dimensions (3, 4)", () => layer.set_centroids(rand(3, 4), 1));
        Refused<ArgumentOutOfRangeException>("expected a positive, finite number", () => layer.set_centroids(rand(4, 3), 0));
        Refused<ArgumentOutOfRangeException>("expected a positive, finite number", () => layer.set_centroids(rand(4, 3), double.NaN));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64", () => layer.set_centroids(ones(4, 3, dtype: ScalarType.Int64), 1));
        Refused<ArgumentException>("expected finite centres", () => layer.set_centroids(full(4, 3, float.NaN), 1));
        Refused<ArgumentException>("expected centres that Float32 holds, got up to 1E+39", () => layer.set_centroids(full(4, 3, 1e39, dtype: ScalarType.Float64), 1));
        Refused<ArgumentException>("expected centres that Float16 holds, got up to 1E+05", () => new Vlad(4, 3, dtype: ScalarType.Float16).set_centroids(full(4, 3, 1e5), 1));
        Refused<ArgumentOutOfRangeException>("α overflows Float16", () => new ActionVLAD(4, 3, alpha: 1e5, dtype: ScalarType.Float16));
        Refused<ArgumentOutOfRangeException>("batch_size", () => layer.Initialize(rand(9, 3), batch_size: 0));
        Refused<ArgumentOutOfRangeException>("the weights overflow Float16", () => new NetVLAD(4, 3, dtype: ScalarType.Float16).set_centroids(rand(4, 3), 1e6));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", () => new NetVLAD(4, 3, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected centres (K, D), got 1 dimensions (4)", () => pooling.netvlad(rand(1, 3, 2, 2), rand(4, 3), rand(4)));
        Refused<ArgumentException>("expected the shape (4, 3), got 2 dimensions (4, 2)", () => pooling.netvlad(rand(1, 3, 2, 2), rand(4, 2), rand(4, 3)));
        Refused<ArgumentException>("expected the shape (4), got 1 dimensions (3)", () => pooling.netvlad(rand(1, 3, 2, 2), rand(4, 3), rand(4, 3), rand(3)));

        static void Refused<T>(string message, Action action)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_start_leaves_the_layer_as_it_was()
    {
        using var scope = NewDisposeScope();
        var layer = new NetVLAD(4, 3);
        var before = layer.state_dict()["centroids"].clone();
        Assert.Throws<ArgumentException>(() => layer.Initialize(ones(9, 3)));
        Assert.Throws<ArgumentException>(() => layer.set_centroids(ones(4, 3, dtype: ScalarType.Int64), 1));
        Tolerance.AssertClose(before, layer.state_dict()["centroids"], 0);
    }

    /// <summary>Equations 3 and 4 of the paper with scalar loops over descriptors, clusters and dimensions.</summary>
    private static Tensor DoubleLoop(NetVLAD layer, Tensor x, bool normalize_input)
    {
        var state = layer.state_dict();
        var w = state["conv.weight"].flatten(1);
        var c = state["centroids"];
        var b = state.TryGetValue("conv.bias", out var bias) ? bias : zeros(c.size(0), dtype: ScalarType.Float64);
        var (n, d, m, k) = ((int)x.size(0), (int)x.size(1), (int)(x.size(2) * x.size(3)), (int)c.size(0));
        var result = new double[n * k * d];
        for (var image = 0; image < n; image++)
        {
            var v = new double[k, d];
            for (var i = 0; i < m; i++)
            {
                var point = x[image].reshape(d, m).select(1, i).contiguous().data<double>().ToArray();
                var length = normalize_input ? Math.Sqrt(point.Sum(value => value * value)) : 1;
                var logits = Enumerable.Range(0, k)
                    .Select(j => Enumerable.Range(0, d).Sum(e => w[j, e].ToDouble() * point[e] / length) + b[j].ToDouble()).ToArray();
                var total = logits.Sum(Math.Exp);
                for (var j = 0; j < k; j++)
                {
                    for (var e = 0; e < d; e++)
                    {
                        v[j, e] += Math.Exp(logits[j]) / total * (point[e] / length - c[j, e].ToDouble());
                    }
                }
            }

            var rows = Enumerable.Range(0, k).SelectMany(j =>
            {
                var row = Enumerable.Range(0, d).Select(e => v[j, e]).ToArray();
                var norm = Math.Sqrt(row.Sum(value => value * value));
                return row.Select(value => value / norm);
            }).ToArray();
            var whole = Math.Sqrt(rows.Sum(value => value * value));
            Array.ConvertAll(rows, value => value / whole).CopyTo(result, image * k * d);
        }

        return tensor(result).reshape(n, k * d);
    }

    private static Tensor HardVlad(Tensor x, Tensor centers, bool nearest)
    {
        var points = nn.functional.normalize(x.flatten(2).transpose(1, 2), dim: 2);   // (N, M, D)
        var choice = nearest
            ? (points.unsqueeze(2) - centers).square().sum(3).argmin(2)
            : points.matmul(nn.functional.normalize(centers, dim: 1).t()).argmax(2);
        var v = stack([.. Enumerable.Range(0, (int)centers.size(0)).Select(k =>
            ((points - centers[k]) * (choice == k).unsqueeze(2)).sum(1))], 1);
        return nn.functional.normalize(nn.functional.normalize(v, dim: 2).flatten(1), dim: 1);
    }
}
