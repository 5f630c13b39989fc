using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Retrieval;

public class PcaWhiteningTests
{
    [Fact]
    public void Four_points_of_the_plane_by_hand()
    {
        using var scope = NewDisposeScope();
        var points = tensor(new double[,] { { 7, 1 }, { -1, 1 }, { 3, 3 }, { 3, -1 } });   // mean (3, 1); variances 32/3 and 8/3
        var layer = new PcaWhitening(2, 2, dtype: ScalarType.Float64);
        var spectrum = layer.Fit([points]);
        Assert.Equal(4, spectrum.Descriptors);
        Assert.Equal([32.0 / 3, 8.0 / 3], spectrum.Variances, Near);
        Assert.Equal(40.0 / 3, spectrum.TotalVariance, 12);
        Assert.Equal(1, spectrum.ExplainedVariance, 12);
        var (first, second) = (Math.Sqrt(3.0 / 32), Math.Sqrt(3.0 / 8));
        Tolerance.AssertClose(tensor(new[,] { { first, 0 }, { 0, second } }), layer.state_dict()["weight"]);
        Tolerance.AssertClose(tensor(new[] { -3 * first, -second }), layer.state_dict()["bias"]);

        // (7, 3) lies 4 and 2 from the mean: 1.5^½ of a standard deviation each, so at 45°.
        Tolerance.AssertClose(tensor(new[,] { { Math.Sqrt(0.5), Math.Sqrt(0.5) } }), layer.call(tensor(new double[,] { { 7, 3 } })));

        layer.Fit([points], whiten: false);
        Tolerance.AssertClose(tensor(new[,] { { 2 / Math.Sqrt(5), 1 / Math.Sqrt(5) } }), layer.call(tensor(new double[,] { { 7, 3 } })));
        layer.Fit([points], epsilon: 16 - (8.0 / 3));
        Tolerance.AssertClose(tensor(new[] { 1 / Math.Sqrt(24), 0.25 }), layer.state_dict()["weight"].diag());
    }

    [Fact]
    public void Whitened_training_descriptors_have_identity_covariance_and_mean_zero()
    {
        using var scope = NewDisposeScope();
        var points = Decaying(300, 12);
        var layer = new PcaWhitening(12, 5, dtype: ScalarType.Float64);
        layer.Fit([points]);
        var z = Affine(layer, points);
        Tolerance.AssertClose(zeros(5, dtype: ScalarType.Float64), z.mean([0]), 1e-10);
        Tolerance.AssertClose(eye(5, dtype: ScalarType.Float64), z.t().matmul(z) / 299, 1e-10);
        Tolerance.AssertClose(z / z.square().sum(1, keepdim: true).sqrt(), layer.call(points), 1e-12);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Components_are_the_eigenvectors_of_the_covariance_by_scalar_loops(bool randomised)
    {
        using var scope = NewDisposeScope();
        const int width = 24, count = 6;
        var points = Decaying(200, width).add_(0.5);
        var (mean, covariance) = Moments(points);
        var data = new DescriptorPasses([points], width, count, CPU);
        var found = randomised ? PrincipalComponents.Randomised(data, count, 3) : PrincipalComponents.Exact(data, count);
        var allowed = randomised ? 1e-5 : 1e-11;
        Tolerance.AssertClose(mean, data.Mean, 1e-13);
        Assert.Equal(covariance.diag().sum().ToDouble(), found.Total, randomised ? 1e-5 : 1e-11);
        var u = found.Vectors.to(ScalarType.Float64);
        Tolerance.AssertClose(eye(count, dtype: ScalarType.Float64), u.t().matmul(u), allowed);
        Tolerance.AssertClose(u * found.Variances, covariance.matmul(u), allowed);   // C·u = λ·u

        // No larger eigenvalue is left out: what remains of the covariance without these components has none above the last.
        var rest = covariance - (u * found.Variances).matmul(u.t());
        var last = found.Variances[-1].ToDouble();
        var v = ones(width, 1, dtype: ScalarType.Float64);
        for (var i = 0; i < 300; i++)
        {
            v = rest.matmul(v);
            v /= v.square().sum().sqrt();
        }

        Assert.True(v.t().matmul(rest.matmul(v)).ToDouble() < last);
        Assert.All(Enumerable.Range(1, count - 1), i => Assert.True(found.Variances[i].ToDouble() < found.Variances[i - 1].ToDouble()));
    }

    [Fact]
    public void More_directions_than_the_rank_make_the_randomised_fit_exact()
    {
        using var scope = NewDisposeScope();
        var points = Decaying(20, 64);   // rank 19, 19 directions
        var data = new DescriptorPasses([points], 64, 8, CPU);
        var (exact, randomised) = (PrincipalComponents.Exact(data, 8), PrincipalComponents.Randomised(data, 8, 1, iterations: 1));
        Tolerance.AssertClose(exact.Variances, randomised.Variances, 1e-5);
        Tolerance.AssertClose(exact.Vectors.to(ScalarType.Float32), randomised.Vectors, 1e-4);
    }

    [Fact]
    public void With_a_slowly_decaying_spectrum_the_randomised_fit_is_near_the_exact_one()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(23);
        var deviations = arange(1, 401, dtype: ScalarType.Float32).rsqrt();   // variances 1/i
        var points = randn([2000, 400], generator: generator) * deviations;
        var data = new DescriptorPasses(points.split(700), 400, 50, CPU);
        var (exact, randomised) = (PrincipalComponents.Exact(data, 50), PrincipalComponents.Randomised(data, 50, 2));
        var captured = randomised.Variances.sum().ToDouble() / exact.Variances.sum().ToDouble();
        Assert.InRange(captured, 0.999, 1 + 1e-6);   // no other subspace holds more than the exact one
        Assert.Equal(exact.Total, randomised.Total, 1e-4);
        Tolerance.AssertClose(ones(25, dtype: ScalarType.Float64), (randomised.Variances / exact.Variances).narrow(0, 0, 25), 1e-3);
    }

    [Fact]
    public void Above_4096_dimensions_the_fit_is_the_randomised_one_and_whitens_too()
    {
        using var scope = NewDisposeScope();
        var points = Decaying(60, 4100).to(ScalarType.Float32);
        var layer = new PcaWhitening(4100, 6);
        var spectrum = layer.Fit(points.split(25), seed: 5);
        var z = Affine(layer, points).to(ScalarType.Float64);
        Tolerance.AssertClose(eye(6, dtype: ScalarType.Float64), z.t().matmul(z) / 59, 1e-4);
        var centred = points.to(ScalarType.Float64) - points.to(ScalarType.Float64).mean([0]);
        var (values, _) = linalg.eigh(centred.matmul(centred.t()) / 59);
        Assert.Equal(values.flip(0).narrow(0, 0, 6).data<double>().ToArray(), spectrum.Variances, (a, b) => Math.Abs(a - b) < 1e-5 * a);
        Assert.Equal(spectrum.Variances.Sum() / values.sum().ToDouble(), spectrum.ExplainedVariance, 1e-5);
        var first = layer.state_dict()["weight"].clone();
        layer.Fit(points.split(25), seed: 5);
        Tolerance.AssertClose(first, layer.state_dict()["weight"], 0);
    }

    [Fact]
    public void The_largest_entry_of_every_component_is_positive()
    {
        using var scope = NewDisposeScope();
        var layer = new PcaWhitening(16, 10);
        layer.Fit([Decaying(100, 16)]);
        var w = layer.state_dict()["weight"];
        Tolerance.AssertClose(w.abs().amax([1]), w.amax([1]), 0);
    }

    [Fact]
    public void The_size_type_and_order_of_the_batches_change_nothing()
    {
        using var scope = NewDisposeScope();
        var points = Decaying(200, 9).to(ScalarType.Float32);
        var expected = Weights([points]);
        foreach (var size in new[] { 1, 7, 64, 199 })
        {
            Tolerance.AssertClose(expected, Weights(points.split(size)), 1e-11);
            Tolerance.AssertClose(expected, Weights(points.to(ScalarType.Float64).split(size).Reverse()), 1e-11);
        }

        static Tensor Weights(IEnumerable<Tensor> batches)
        {
            var layer = new PcaWhitening(9, 4, dtype: ScalarType.Float64);
            layer.Fit(batches);
            return layer.state_dict()["weight"];
        }
    }

    [Fact]
    public void Fit_leaves_no_tensor_of_its_own_nor_of_the_enumeration_and_keeps_the_caller_s()
    {
        using var points = Decaying(90, 10);
        using var layer = new PcaWhitening(10, 4);
        layer.Fit([points]);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        layer.Fit(Made());
        layer.Fit([points]);
        Assert.ThrowsAny<ArgumentException>(() => layer.Fit(Made().Select(batch => batch.log())));
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        Assert.False(points.IsInvalid);
        Assert.True(layer.parameters().All(p => p.requires_grad));

        IEnumerable<Tensor> Made()
        {
            for (var i = 0; i < 3; i++)
            {
                using var inner = NewDisposeScope();
                yield return points.narrow(0, 30 * i, 30) * 2;
            }
        }
    }

    [Fact]
    public void Rows_of_sets_are_descriptors_and_a_descriptor_at_the_mean_stays_zero()
    {
        using var scope = NewDisposeScope();
        var points = Decaying(40, 6).to(ScalarType.Float32);
        var layer = new PcaWhitening(6, 3);
        layer.Fit([points]);
        Tolerance.AssertClose(layer.call(points).reshape(8, 5, 3), layer.call(points.reshape(8, 5, 6)));
        var zero = pooling.pca_whitening(zeros(1, 6).requires_grad_(), layer.state_dict()["weight"], zeros(3));
        zero.sum().backward();
        Tolerance.AssertClose(zeros(1, 3), zero, 0);
        Assert.Equal([0, 3], layer.call(zeros(0, 6)).shape);
    }

    [Fact]
    public void A_whitening_of_the_authors_order_takes_this_layer_s_after_the_permutation()
    {
        using var scope = NewDisposeScope();
        const int clusters = 3, dim = 4;
        var ours = Decaying(80, clusters * dim);
        var theirs = ours.view(80, clusters, dim).transpose(1, 2).flatten(1);   // entry d·K + k
        var (trained, loaded) = (new PcaWhitening(12, 5, dtype: ScalarType.Float64), new PcaWhitening(12, 5, dtype: ScalarType.Float64));
        trained.Fit([theirs]);
        var state = trained.state_dict();
        loaded.load_state_dict(new Dictionary<string, Tensor>
        {
            ["weight"] = state["weight"].index_select(1, NetVLAD.flatten_permutation(clusters, dim)),
            ["bias"] = state["bias"],
        });
        Tolerance.AssertClose(trained.call(theirs), loaded.call(ours));
        Assert.True((trained.call(theirs) - trained.call(ours)).abs().max().ToDouble() > 0.1);
    }

    [PyTorchFact]
    public void Numpy_s_decomposition_of_the_same_descriptors_gives_the_same_whitening()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var points = pooling.l2_normalize(Decaying(150, 20).to(ScalarType.Float32));
        Python.Run(
            """
            import sys, numpy as np
            x = np.fromfile(sys.argv[1], np.float32).reshape(150, 20).astype(np.float64)
            u, s, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
            z = (x - x.mean(0)) @ vt[:8].T / (s[:8] / np.sqrt(149))
            (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32).tofile(sys.argv[2])
            """,
            Python.Write(folder.Path, "x", points), folder.File("y"));
        var layer = new PcaWhitening(20, 8);
        layer.Fit([points]);
        var (expected, actual) = (Python.Read(folder.File("y"), 150, 8), layer.call(points));
        var signs = (expected * actual).sum([0]).sign();   // numpy's signs are arbitrary
        Tolerance.AssertClose(expected * signs, actual, 1e-5);
    }

    [PyTorchFact]
    public void NetVLAD_and_whitening_run_in_PyTorch_after_export()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var whitening = new PcaWhitening(12, 5);
        var vlad = new NetVLAD(3, 4);
        var x = randn(40, 4, 3, 3);
        whitening.Fit(x.split(16).Select(vlad.call));
        var model = nn.Sequential(("pool", vlad), ("WPCA", whitening));
        torchscript.save(model, folder.File("m.pt"), x);
        Python.Run(
            """
            import sys, torch, numpy as np
            m = torch.jit.load(sys.argv[1])
            x = torch.from_numpy(np.fromfile(sys.argv[2], np.float32).reshape(40, 4, 3, 3))
            assert [n for n, _ in m.named_parameters()][-2:] == ['WPCA.weight', 'WPCA.bias']
            v = m.pool(x)
            y = torch.nn.functional.normalize(torch.nn.functional.linear(v, m.WPCA.weight, m.WPCA.bias), dim=1)
            assert torch.allclose(y, m(x), atol=1e-6)
            m(x).detach().numpy().tofile(sys.argv[3])
            """,
            folder.File("m.pt"), Python.Write(folder.Path, "x", x), folder.File("y"));
        Tolerance.AssertClose(Python.Read(folder.File("y"), 40, 5), model.call(x), 1e-5);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(model.call(x), script.call(x), 1e-6);
    }

    [Fact]
    public void It_trains_behind_NetVLAD_or_stays_frozen()
    {
        using var scope = NewDisposeScope();
        var (vlad, whitening) = (new NetVLAD(2, 3), new PcaWhitening(6, 2));
        var weight = whitening.get_parameter("weight")!;
        weight.requires_grad = false;
        nn.Sequential(vlad, whitening).call(randn(4, 3, 2, 2)).square().mean([0])[0].backward();
        Assert.Null(weight.grad);
        Assert.True(whitening.get_parameter("bias")!.grad!.abs().sum().ToDouble() > 0);
        Assert.All(vlad.parameters(), p => Assert.True(p.grad!.abs().sum().ToDouble() > 0));
    }

    [Fact]
    public void Descriptors_without_variance_are_explained()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(1, new PcaWhitening(4, 2).Fit([ones(5, 4)], whiten: false).ExplainedVariance);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var layer = new PcaWhitening(4, 3);
        var before = layer.state_dict()["weight"].clone();
        Refused<ArgumentOutOfRangeException>("in_features", () => new PcaWhitening(0, 1));
        Refused<ArgumentOutOfRangeException>("out_features", () => new PcaWhitening(4, 0));
        Refused<ArgumentOutOfRangeException>("out_features", () => new PcaWhitening(4, 5));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", () => new PcaWhitening(4, 3, dtype: ScalarType.Int64));
        Refused<ArgumentNullException>("batches", () => layer.Fit(null!));
        Refused<ArgumentNullException>("batches", () => layer.Fit([null!]));
        Refused<ArgumentException>("expected more than 3 descriptors for 3 components, got no batches", () => layer.Fit([]));
        Refused<ArgumentException>("expected more than 3 descriptors for 3 components, got 3, whose covariance has rank 2 at most", () => layer.Fit([rand(2, 4), rand(1, 4)]));
        Refused<ArgumentException>("expected a matrix (M ≥ 1, 4), got 2 dimensions (9, 5)", () => layer.Fit([rand(9, 4), rand(9, 5)]));
        Refused<ArgumentException>("expected a matrix (M ≥ 1, 4), got 1 dimensions (4)", () => layer.Fit([rand(4)]));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64 (9, 4)", () => layer.Fit([ones(9, 4, dtype: ScalarType.Int64)]));
        Refused<ArgumentException>("expected finite descriptors, got NaN or infinity among them", () => layer.Fit([rand(9, 4), full(9, 4, float.NaN)]));
        Refused<ArgumentException>("expected finite descriptors, got NaN or infinity among them", () => layer.Fit([full(9, 4, float.PositiveInfinity)]));
        Refused<ArgumentException>("expected variance in 3 components, got 2: keep fewer, or give a positive epsilon", () => layer.Fit([rand(20, 2).matmul(rand(2, 4))]));
        Refused<ArgumentException>("expected variance in 3 components, got 0", () => layer.Fit([ones(20, 4)]));
        Refused<ArgumentException>("expected descriptors whose squares are finite", () => layer.Fit([rand(20, 4, dtype: ScalarType.Float64) * 1e200]));
        Refused<ArgumentException>("expected descriptors whose squares are finite", () => PrincipalComponents.Randomised(new([rand(20, 4) * 1e25], 4, 3, CPU), 3, 0));
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => layer.Fit([rand(20, 4)], epsilon: -1));
        Refused<ArgumentOutOfRangeException>("expected a finite number that is not negative", () => layer.Fit([rand(20, 4)], epsilon: double.NaN));
        Refused<ArgumentException>("expected the same batches in every pass, got 20 descriptors in the first and 0 in another", () => layer.Fit(Once(rand(20, 4))));
        Refused<ArgumentOutOfRangeException>("the weights overflow Float16", () => new PcaWhitening(4, 3, dtype: ScalarType.Float16).Fit([rand(20, 4) * 1e-6]));
        Refused<ArgumentException>("expected descriptors (N, 4) or (N, P, 4), got 2 dimensions (2, 5)", () => layer.call(rand(2, 5)));
        Refused<ArgumentException>("expected descriptors (N, 4) or (N, P, 4), got 4 dimensions (2, 4, 1, 1)", () => layer.call(rand(2, 4, 1, 1)));
        Refused<ArgumentException>("expected descriptors (N, 4) or (N, P, 4), got 0 dimensions ()", () => layer.call(tensor(1f)));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64 (2, 4)", () => layer.call(ones(2, 4, dtype: ScalarType.Int64)));
        Refused<ArgumentException>("expected Float32 on cpu as the parameters have, got Float64 on cpu", () => layer.call(rand(2, 4, dtype: ScalarType.Float64)));
        Refused<ArgumentException>("expected a weight (out, in), got 4 dimensions (3, 4, 1, 1)", () => pooling.pca_whitening(rand(2, 4), rand(3, 4, 1, 1), rand(3)));
        Refused<ArgumentException>("expected the shape (3), got 1 dimensions (4)", () => pooling.pca_whitening(rand(2, 4), rand(3, 4), rand(4)));
        Refused<ArgumentException>("expected Float32 on cpu as the parameters have, got Float64 on cpu", () => pooling.pca_whitening(rand(2, 4), rand(3, 4), rand(3, dtype: ScalarType.Float64)));
        Tolerance.AssertClose(before, layer.state_dict()["weight"], 0);

        static void Refused<T>(string message, Action action)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);

        static IEnumerable<Tensor> Once(Tensor points)
        {
            var queue = new Queue<Tensor>([points]);
            return Drained(queue);
        }

        static IEnumerable<Tensor> Drained(Queue<Tensor> queue)
        {
            while (queue.TryDequeue(out var batch))
            {
                yield return batch;
            }
        }
    }

    [Fact]
    public void A_constant_dimension_needs_epsilon_and_then_stays_finite()
    {
        using var scope = NewDisposeScope();
        var points = Decaying(30, 3).to(ScalarType.Float32);
        points[.., 1] = 0.25f;
        var layer = new PcaWhitening(3, 3);
        Assert.Throws<ArgumentException>(() => layer.Fit([points]));
        var spectrum = layer.Fit([points], epsilon: 1e-4);
        Assert.Equal(0, spectrum.Variances[2], 1e-12);
        Assert.Equal(100, layer.state_dict()["weight"][2].abs().max().ToDouble(), 1e-3);   // 1/√(0 + 1e-4)
        Assert.True(layer.call(points).isfinite().all().ToBoolean());
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-12 * Math.Max(1, Math.Abs(a));

    private static Tensor Affine(PcaWhitening layer, Tensor x) =>
        x.matmul(layer.state_dict()["weight"].t()) + layer.state_dict()["bias"];

    /// <summary>Descriptors (M, D) whose principal variances decay geometrically in random directions, float64.</summary>
    private static Tensor Decaying(long count, long width)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(17);
        var rank = Math.Min(count, width);
        var scales = tensor(0.8, dtype: ScalarType.Float64).pow(arange(rank, dtype: ScalarType.Float64));
        var directions = randn([width, rank], dtype: ScalarType.Float64, generator: generator);
        var (q, _) = linalg.qr(directions);
        return (randn([count, rank], dtype: ScalarType.Float64, generator: generator) * scales).matmul(q.t()).MoveToOuterDisposeScope();
    }

    private static (Tensor Mean, Tensor Covariance) Moments(Tensor points)
    {
        var (m, d) = ((int)points.size(0), (int)points.size(1));
        var x = points.data<double>().ToArray();
        var mean = Enumerable.Range(0, d).Select(j => Enumerable.Range(0, m).Average(i => x[(i * d) + j])).ToArray();
        var covariance = new double[d, d];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < d; j++)
            {
                for (var k = 0; k < d; k++)
                {
                    covariance[j, k] += (x[(i * d) + j] - mean[j]) * (x[(i * d) + k] - mean[k]) / (m - 1);
                }
            }
        }

        return (tensor(mean), tensor(covariance));
    }
}
