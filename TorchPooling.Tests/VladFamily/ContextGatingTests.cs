using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class ContextGatingTests
{
    [Fact]
    public void A_gate_by_hand()
    {
        using var scope = NewDisposeScope();
        var w = tensor(new[,] { { 0.0, 1 }, { 0, 0 } });   // the first entry is gated by the second, the second by b alone
        var y = pooling.context_gating(tensor(new[,] { { 3, Math.Log(3) } }), w, tensor(new[] { 0, -Math.Log(4) }));
        Tolerance.AssertClose(tensor(new[,] { { 3 * 0.75, Math.Log(3) * 0.2 } }), y);   // σ(ln 3) = 3/4, σ(−ln 4) = 1/5
    }

    [Fact]
    public void An_open_gate_is_the_identity_and_a_shut_one_gives_zeros()
    {
        using var scope = NewDisposeScope();
        var gating = new ContextGating(5);
        var x = randn(3, 5);
        using (no_grad())
        {
            gating.state_dict()["linear.weight"].zero_();
            gating.state_dict()["linear.bias"].fill_(100);
        }

        Tolerance.AssertClose(x, gating.call(x), 0);
        using (no_grad())
        {
            gating.state_dict()["linear.bias"].fill_(-200);
        }

        Tolerance.AssertClose(zeros(3, 5), gating.call(x), 0);
    }

    [Fact]
    public void The_layer_equals_scalar_loops_over_any_leading_dimensions()
    {
        using var scope = NewDisposeScope();
        var gating = new ContextGating(4, dtype: ScalarType.Float64);
        var (w, b) = (gating.state_dict()["linear.weight"], gating.state_dict()["linear.bias"]);
        var x = randn(2, 3, 4, dtype: ScalarType.Float64);
        var expected = zeros_like(x);
        for (var i = 0; i < 24; i++)
        {
            var (n, m, f) = (i / 12, i / 4 % 3, i % 4);
            var logit = Enumerable.Range(0, 4).Sum(e => w[f, e].ToDouble() * x[n, m, e].ToDouble()) + b[f].ToDouble();
            expected[n, m, f] = x[n, m, f].ToDouble() / (1 + Math.Exp(-logit));
        }

        Tolerance.AssertClose(expected.detach(), gating.call(x));
        Tolerance.AssertClose(expected[1, 2].detach(), gating.call(x[1, 2]));
        Assert.Equal([0, 4], gating.call(x.view(6, 4).narrow(0, 0, 0)).shape);
    }

    [Fact]
    public void Batch_norm_stands_in_for_the_bias()
    {
        using var scope = NewDisposeScope();
        var gating = new ContextGating(3, batch_norm: true, dtype: ScalarType.Float64);
        Assert.Equal(
            ["batch_norm.bias", "batch_norm.num_batches_tracked", "batch_norm.running_mean", "batch_norm.running_var", "batch_norm.weight", "linear.weight"],
            gating.state_dict().Keys.Order(StringComparer.Ordinal));
        var x = randn(8, 3, dtype: ScalarType.Float64);
        var gates = x.matmul(gating.state_dict()["linear.weight"].t());
        var normalized = (gates - gates.mean([0])) / (gates.var([0], unbiased: false) + 1e-5).sqrt();
        Tolerance.AssertClose((normalized.sigmoid() * x).detach(), gating.call(x));

        gating.eval();   // one step of momentum 0.1 from mean 0 and variance 1
        var (mean, variance) = (gates.mean([0]) * 0.1, 0.9 + gates.var([0], unbiased: true) * 0.1);
        Tolerance.AssertClose((((gates - mean) / (variance + 1e-5).sqrt()).sigmoid() * x).detach(), gating.call(x));
        Assert.Equal([0, 3], gating.call(x.narrow(0, 0, 0)).shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_script_form_computes_the_same_in_every_dtype(bool batch_norm)
    {
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.Float16, ScalarType.BFloat16 })
        {
            using var scope = NewDisposeScope();
            using var folder = new TemporaryFolder();
            var gating = new ContextGating(6, batch_norm, dtype: dtype);
            var x = randn(4, 6).to(dtype);
            torchscript.save(gating, folder.File("m.pt"), x);
            using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
            script.eval();
            gating.eval();
            var more = randn(2, 5, 6).to(dtype);
            Tolerance.AssertClose(gating.call(more), script.call(more), where: $"{dtype}");
            Assert.Equal(dtype, gating.call(more).dtype);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_leaves_no_tensor_and_outlives_the_scope_that_it_was_made_in(bool batch_norm)
    {
        ContextGating gating;
        using (NewDisposeScope())
        {
            gating = new(4, batch_norm);
        }

        using var x = randn(5, 4);
        gating.call(x).Dispose();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using var y = gating.call(x);
        Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        gating.Dispose();
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var gating = new ContextGating(4);
        Refused<ArgumentOutOfRangeException>("dim", () => new ContextGating(0));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", () => new ContextGating(4, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected vectors (…, 4), got 2 dimensions (2, 3)", () => gating.call(rand(2, 3)));
        Refused<ArgumentException>("expected vectors (…, 4), got 0 dimensions ()", () => gating.call(tensor(1.0f)));
        Refused<ArgumentException>("expected Float32 on cpu as the parameters have, got Float64 on cpu", () => gating.call(rand(2, 4, dtype: ScalarType.Float64)));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64", () => gating.call(ones(2, 4, dtype: ScalarType.Int64)));
        Refused<ArgumentException>("expected weights (F, F), got 2 dimensions (3, 4) (Parameter 'weight')", () => pooling.context_gating(rand(2, 4), rand(3, 4)));
        Refused<ArgumentException>("expected weights (F, F), got 1 dimensions (4) (Parameter 'weight')", () => pooling.context_gating(rand(2, 4), rand(4)));
        Refused<ArgumentException>("expected vectors (…, 4), got 2 dimensions (2, 3) (Parameter 'x')", () => pooling.context_gating(rand(2, 3), rand(4, 4)));
        Refused<ArgumentException>("got Float32 on cpu (Parameter 'x')", () => pooling.context_gating(rand(2, 4), rand(4, 4, dtype: ScalarType.Float64)));
        Refused<ArgumentException>("expected the shape (4), got 1 dimensions (3)", () => pooling.context_gating(rand(2, 4), rand(4, 4), rand(3)));
        var normalized = new ContextGating(4, batch_norm: true);
        Refused<ArgumentException>("expected two or more vectors to normalise over in training, got (1, 4)", () => normalized.call(rand(1, 4)));
        Refused<ArgumentException>("expected two or more vectors to normalise over in training, got (0, 4)", () => normalized.call(rand(0, 4)));
        Refused<ArgumentException>("expected vectors (…, 4), got 2 dimensions (2, 3)", () => normalized.call(rand(2, 3)));

        static void Refused<T>(string message, Action action)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
    }
}
