using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class SaladTests
{
    [Theory]
    [InlineData(3, 4)]   // 12 descriptors, 5 clusters
    [InlineData(6, 1)]   // one more than clusters
    [InlineData(5, 1)]   // as many
    [InlineData(2, 2)]   // fewer
    [InlineData(1, 1)]
    public void The_layer_equals_scalar_loops_of_Sinkhorn_s_algorithm(long height, long width)
    {
        using var scope = NewDisposeScope();
        var layer = Layer(new Salad(3, 5, 4, hidden: 6, dropout: 0, dtype: ScalarType.Float64));
        var x = Seeded.Normal(1, [2, 3, height, width], ScalarType.Float64);
        Tolerance.AssertClose(Loops(layer, x, null), layer.call(x), 1e-11);
        Tolerance.AssertClose(layer.call(x), layer.call(x.flatten(2)));
    }

    [Fact]
    public void The_token_s_vector_comes_first_and_weighs_as_one_cluster()
    {
        using var scope = NewDisposeScope();
        var layer = Layer(new Salad(3, 5, 4, token_channels: 7, token_dim: 2, hidden: 6, dropout: 0, dtype: ScalarType.Float64));
        Assert.Equal(22, layer.output_length);
        var (x, token) = (Seeded.Normal(2, [2, 3, 3, 4], ScalarType.Float64), Seeded.Normal(3, [2, 7], ScalarType.Float64));
        var y = layer.forward(x, token);
        Tolerance.AssertClose(Loops(layer, x, token), y, 1e-11);
        Tolerance.AssertClose(full(2, Math.Sqrt(1.0 / 6), dtype: ScalarType.Float64), y.narrow(1, 0, 2).norm(1));
    }

    [Theory]
    [InlineData(4, 9)]
    [InlineData(4, 4)]
    [InlineData(4, 3)]
    public void The_plan_s_marginals_converge(long m, long n)
    {
        using var scope = NewDisposeScope();
        var scores = Seeded.Normal(4, [2, m, n], ScalarType.Float64);
        var plan = pooling.optimal_transport(scores, tensor(0.7, dtype: ScalarType.Float64), 500);
        Tolerance.AssertClose(full([2, m], Math.Min(1, (double)n / m), dtype: ScalarType.Float64), plan.sum(2), 1e-9);
        if (n <= m)
        {
            Tolerance.AssertClose(ones(2, n, dtype: ScalarType.Float64), plan.sum(1));   // nothing for the dustbin
        }
        else
        {
            Assert.True(plan.sum(1).max().ToDouble() < 1);
            Tolerance.AssertClose(full(2, (double)m, dtype: ScalarType.Float64), plan.sum([1, 2]), 1e-9);
        }
    }

    [Fact]
    public void Transports_by_hand()
    {
        using var scope = NewDisposeScope();
        var z = tensor(0.0f);
        Tolerance.AssertClose(full([1, 2, 6], 1 / 6f), pooling.optimal_transport(zeros(1, 2, 6), z));   // 1 of mass over 6 descriptors

        // One cluster of mass 1, a dustbin of mass 2: p(1 − q) / ((1 − p)q) = 3 and p + 2q = 1 give p = 1/2, q = 1/4.
        var plan = pooling.optimal_transport(tensor(new[, ,] { { { MathF.Log(3), 0, 0 } } }), z, 100);
        Tolerance.AssertClose(tensor(new[, ,] { { { 0.5f, 0.25f, 0.25f } } }), plan);
    }

    [Fact]
    public void The_order_of_the_positions_tells_nothing()
    {
        using var scope = NewDisposeScope();
        var layer = Layer(new Salad(3, 5, 4, hidden: 6, dropout: 0, dtype: ScalarType.Float64));
        var x = Seeded.Normal(5, [2, 3, 14], ScalarType.Float64);
        Tolerance.AssertClose(layer.call(x), layer.call(x.flip(2)));
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(1, 8)]
    [InlineData(1e6, 8)]
    [InlineData(-1e12, 8)]
    [InlineData(0, 2)]
    [InlineData(1e6, 1)]
    [InlineData(1, 70)]
    public void Zero_constant_and_huge_maps_have_finite_values_and_gradients(double value, long size)
    {
        using var scope = NewDisposeScope();
        var layer = Layer(new Salad(3, 5, 4, hidden: 6, dropout: 0));
        foreach (var x in new[] { full([2, 3, size, size], (float)value), Seeded.Normal(6, [2, 3, size, size]) * (float)value })
        {
            x.requires_grad_();
            var y = layer.call(x);
            y[.., 0].sum().backward();
            Assert.True(y.isfinite().all().ToBoolean());
            Assert.True(x.grad!.isfinite().all().ToBoolean());
            Assert.All(layer.parameters(), p => Assert.True(p.grad!.isfinite().all().ToBoolean()));
        }
    }

    [Fact]
    public void With_no_more_descriptors_than_clusters_the_dustbin_has_no_influence()
    {
        using var scope = NewDisposeScope();
        var layer = Layer(new Salad(3, 5, 4, hidden: 6, dropout: 0));
        var x = Seeded.Normal(7, [1, 3, 5]);
        var before = layer.call(x);
        before.sum().backward();
        Assert.Equal(0, layer.state_dict()["dust_bin"].grad!.ToDouble());
        using (no_grad())
        {
            layer.state_dict()["dust_bin"].fill_(9);
        }

        Tolerance.AssertClose(before, layer.call(x), 0);
    }

    [Theory]
    [InlineData(ScalarType.Float16, 1e-3)]
    [InlineData(ScalarType.Float16, 1e3)]
    [InlineData(ScalarType.Float16, 1.5e4)]
    [InlineData(ScalarType.BFloat16, 1e-3)]
    [InlineData(ScalarType.BFloat16, 1e3)]
    [InlineData(ScalarType.BFloat16, 1e30)]
    public void Wide_networks_in_half_precision_keep_two_digits(ScalarType dtype, double magnitude)
    {
        foreach (var seed in new[] { 1, 2, 3 })
        {
            using var scope = NewDisposeScope();
            using var folder = new TemporaryFolder();
            var layer = Layer(new Salad(64, 16, 8, hidden: 128, token_channels: 64, token_dim: 8, dropout: 0), seed);
            layer.to(dtype);
            layer.eval();
            var (x, token) = (Draw(seed, [2, 64, 6, 5]), Draw(seed + 9, [2, 64]));
            var model = new WithToken(layer);
            torchscript.save(model, folder.File("m.pt"), x, token);
            using var script = jit.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
            script.eval();
            Tensor[] found = [layer.forward(x, token), script.call(x, token)];
            layer.to(ScalarType.Float64);   // the same rounded parameters
            var expected = layer.forward(x.to(ScalarType.Float64), token.to(ScalarType.Float64));
            Assert.All(found, y =>
            {
                Assert.Equal(dtype, y.dtype);
                Assert.True(((y - expected).norm() / expected.norm()).ToDouble() < 1e-2);
            });
        }

        Tensor Draw(int seed, long[] shape) => (Seeded.Normal(seed, shape) * magnitude).to(dtype);
    }

    [Fact]
    public void State_dict_has_the_keys_of_the_authors_code()
    {
        using var layer = new Salad(3, token_channels: 7);
        string[] expected =
        [
            .. new[] { "cluster_features.0", "cluster_features.3", "score.0", "score.3", "token_features.0", "token_features.2" }
                .SelectMany(name => new[] { name + ".bias", name + ".weight" }), "dust_bin",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), layer.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal([128, 512, 1, 1], layer.state_dict()["cluster_features.3.weight"].shape);
        Assert.Equal([64, 512, 1, 1], layer.state_dict()["score.3.weight"].shape);
        Assert.Equal([256, 512], layer.state_dict()["token_features.2.weight"].shape);
        Assert.Equal([], layer.state_dict()["dust_bin"].shape);
        Assert.Equal(1, layer.state_dict()["dust_bin"].ToDouble());
    }

    [Fact]
    public void The_script_form_takes_the_token_and_asks_for_it()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = new WithToken(new Salad(3, 5, 4, token_channels: 7, token_dim: 2, hidden: 6, dropout: 0));
        var (x, token) = (Seeded.Normal(9, [2, 3, 4, 5]), Seeded.Normal(10, [2, 7]));
        torchscript.save(model, folder.File("m.pt"), x, token);
        using var script = jit.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        script.eval();
        model.eval();
        Tolerance.AssertClose(model.call(x, token), script.call(x, token));
        var (small, other) = (Seeded.Normal(11, [3, 3, 1, 2]), Seeded.Normal(12, [3, 7]));
        Tolerance.AssertClose(model.call(small, other), script.call(small, other));
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var (layer, with_token) = (new Salad(3, 5, 4, hidden: 6), new Salad(3, 5, 4, 7, 2, hidden: 6));
        Refused<ArgumentOutOfRangeException>("num_clusters", () => new Salad(3, 0));
        Refused<ArgumentOutOfRangeException>("token_channels", () => new Salad(3, token_channels: 0));
        Refused<ArgumentOutOfRangeException>("iterations", () => new Salad(3, iterations: 0));
        Refused<ArgumentOutOfRangeException>("expected a share 0 … 1", () => new Salad(3, dropout: 1.5));
        Refused<ArgumentOutOfRangeException>("expected a share 0 … 1", () => new Salad(3, dropout: double.NaN));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", () => new Salad(3, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected no token, the layer was made without", () => layer.forward(rand(1, 3, 2, 2), rand(1, 7)));
        Refused<ArgumentException>("expected a token (N, 7), got none", () => with_token.call(rand(1, 3, 2, 2)));
        Refused<ArgumentException>("expected the shape (1, 7), got 2 dimensions (1, 6)", () => with_token.forward(rand(1, 3, 2, 2), rand(1, 6)));
        Refused<ArgumentException>("expected the shape (1, 7), got 2 dimensions (2, 7)", () => with_token.forward(rand(1, 3, 2, 2), rand(2, 7)));
        Refused<ArgumentException>("expected Float32 on cpu as the parameters have, got Float64", () => with_token.forward(rand(1, 3, 2, 2), rand(1, 7, dtype: ScalarType.Float64)));
        var (f, s, z) = (rand(1, 4, 6), rand(1, 5, 6), tensor(1.0f));
        Refused<ArgumentException>("expected features (N, l, n) with l, n ≥ 1, got (4, 6)", () => pooling.salad(f[0], s, z));
        Refused<ArgumentException>("expected the shape (1, 5, 6), got 3 dimensions (1, 5, 7)", () => pooling.salad(f, rand(1, 5, 7), z));
        Refused<ArgumentException>("expected scores (N, m, n) with m, n ≥ 1, got (1, 0, 6)", () => pooling.optimal_transport(rand(1, 0, 6), z));
        Refused<ArgumentException>("expected scores (N, m, n) with m, n ≥ 1, got (5, 6)", () => pooling.optimal_transport(s[0], z));
        Refused<ArgumentException>("expected the shape (), got 1 dimensions (1)", () => pooling.optimal_transport(s, ones(1)));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64", () => pooling.optimal_transport(ones(1, 5, 6, dtype: ScalarType.Int64), z));
        Refused<ArgumentOutOfRangeException>("iterations", () => pooling.optimal_transport(s, z, 0));
        Refused<ArgumentException>("expected tokens (N, g) with N = 1, got 2 dimensions (3, 2)", () => pooling.salad(f, s, z, rand(3, 2)));
        Refused<ArgumentException>("expected tokens (N, g) with N = 1, got 3 dimensions (1, 2, 1)", () => pooling.salad(f, s, z, rand(1, 2, 1)));

        static void Refused<T>(string message, Action action)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
    }

    private static Salad Layer(Salad layer, int seed = 0)
    {
        Seeded.Start(layer, seed);
        return layer;
    }

    /// <summary>A model of a map and a token.</summary>
    private sealed class WithToken : nn.Module<Tensor, Tensor, Tensor>, IScriptable
    {
        private readonly Salad salad;

        public WithToken(Salad salad)
            : base(nameof(WithToken))
        {
            this.salad = salad;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor token) => salad.forward(x, token);

        public ScriptDefinition script() => new(
            """
            def forward(self, x: Tensor, token: Tensor) -> Tensor:
                return self.salad.forward(x, token)
            """);
    }

    /// <summary>The paper's transport with scalar loops on masses, not logarithms: P = diag(a)·exp(S)·diag(b), three rounds; and
    /// its aggregation.</summary>
    private static Tensor Loops(Salad layer, Tensor x, Tensor? token)
    {
        var state = layer.state_dict();
        var z = state["dust_bin"].ToDouble();
        var vectors = new List<Tensor>();
        for (var image = 0; image < x.size(0); image++)
        {
            var map = x[image].flatten(1).t();   // (n, C)
            var (f, s) = (Network("cluster_features", map, 3), Network("score", map, 3));
            var (n, m, l) = ((int)map.size(0), (int)s.size(1), (int)f.size(1));
            var rows = n > m ? m + 1 : m;
            double Kernel(int k, int i) => Math.Exp(k < m ? s[i, k].ToDouble() : z);
            var mass = Enumerable.Range(0, rows).Select(k => k == m ? n - m : n > m ? 1 : (double)n / m).ToArray();
            var (a, b) = (new double[rows], Enumerable.Repeat(1.0, n).ToArray());
            for (var round = 0; round < 3; round++)
            {
                a = [.. Enumerable.Range(0, rows).Select(k => mass[k] / Enumerable.Range(0, n).Sum(i => Kernel(k, i) * b[i]))];
                b = [.. Enumerable.Range(0, n).Select(i => 1 / Enumerable.Range(0, rows).Sum(k => Kernel(k, i) * a[k]))];
            }

            var v = new double[l * m];
            for (var k = 0; k < m; k++)
            {
                var sums = Enumerable.Range(0, l).Select(e => Enumerable.Range(0, n).Sum(i => a[k] * Kernel(k, i) * b[i] * f[i, e].ToDouble())).ToArray();
                var norm = Math.Sqrt(sums.Sum(value => value * value));
                for (var e = 0; e < l; e++)
                {
                    v[e * m + k] = sums[e] / norm;
                }
            }

            var whole = tensor(v);
            if (token is not null)
            {
                var scene = Network("token_features", token[image].unsqueeze(0), 2)[0];
                whole = cat([scene / scene.norm(), whole]);
            }

            vectors.Add(whole / whole.norm());
        }

        return stack([.. vectors]).detach();

        Tensor Network(string name, Tensor points, int last)
        {
            var first = points.matmul(state[$"{name}.0.weight"].flatten(1).t()) + state[$"{name}.0.bias"];
            return first.clamp_min(0).matmul(state[$"{name}.{last}.weight"].flatten(1).t()) + state[$"{name}.{last}.bias"];
        }
    }
}

/// <summary>Alone: what other tests draw, or the state of the generator that they set, would be seen here.</summary>
[Collection(nameof(AloneCollection))]
public class SaladDropoutTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Dropout_draws_in_training_alone_and_the_script_form_keeps_it(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var layer = new Salad(3, 5, 4, hidden: 32, dropout: 0.3);
        layer.to(dtype);
        var x = Seeded.Normal(8, [2, 3, 4, 5]).to(dtype);
        Assert.True(Varies(layer.call));
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        script.train();
        Assert.True(Varies(script.call));
        layer.eval();
        script.eval();
        Tolerance.AssertClose(layer.call(x), script.call(x));
        Assert.False(Varies(layer.call));

        bool Varies(Func<Tensor, Tensor> forward) => (forward(x) - forward(x)).abs().max().ToDouble() > 1e-4;
    }
}
