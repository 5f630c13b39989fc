using static TorchSharp.torch;

namespace TorchPooling.Tests.Inverse;

public class ProbabilisticMaxPool2dTests
{
    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 0, Math.Log(3), 0, Math.Log(2) }).reshape(1, 1, 2, 2);   // 1 + 3 + 1 + 2, and 1 for none
        var layer = new ProbabilisticMaxPool2d(2);
        Assert.Equal(7.0 / 8, layer.call(x).ToDouble(), 1e-15);
        Tolerance.AssertClose(tensor(new[] { 1.0, 3, 1, 2 }).reshape(1, 1, 2, 2) / 8, layer.hidden(x));
        var above = tensor(Math.Log(2)).reshape(1, 1, 1, 1);   // doubles each
        Assert.Equal(14.0 / 15, layer.forward(x, above).ToDouble(), 1e-15);
        Tolerance.AssertClose(tensor(new[] { 2.0, 6, 2, 4 }).reshape(1, 1, 2, 2) / 15, layer.hidden(x, above));
    }

    [Fact]
    public void They_are_the_formulas_with_blocks_cut_at_the_border()
    {
        using var scope = NewDisposeScope();
        foreach (var (h, w, rows, columns) in new[] { (6, 6, 2, 3), (7, 5, 3, 2), (1, 4, 2, 2), (3, 3, 1, 1), (5, 4, 9, int.MaxValue) })
        {
            var x = randn(2, 3, h, w, dtype: ScalarType.Float64) * 2;
            var (down, across) = ((h + rows - 1) / rows, (int)(((long)w + columns - 1) / columns));
            var above = randn(2, 3, down, across, dtype: ScalarType.Float64);
            var (on, hidden) = (empty_like(above), empty_like(x));
            foreach (var i in Enumerable.Range(0, down))
            {
                foreach (var j in Enumerable.Range(0, across))
                {
                    var (bottom, right) = ((int)Math.Min(h, (i + 1L) * rows), (int)Math.Min(w, (j + 1L) * columns));
                    var e = (x[.., .., (i * rows)..bottom, (j * columns)..right] + above[.., .., i..(i + 1), j..(j + 1)]).exp();
                    var total = e.sum([2, 3], keepdim: true) + 1;
                    hidden[.., .., (i * rows)..bottom, (j * columns)..right] = e / total;
                    on[.., .., i..(i + 1), j..(j + 1)] = 1 - (1 / total);
                }
            }

            var where = $"{h}×{w} in blocks of {rows}×{columns}";
            Tolerance.AssertClose(on, pooling.probabilistic_max_pool2d(x, (rows, columns), above), where: where);
            Tolerance.AssertClose(hidden, pooling.probabilistic_max_hidden2d(x, (rows, columns), above), where: where);
        }
    }

    [Fact]
    public void Nothing_overflows_and_small_probabilities_keep_their_digits()
    {
        using var scope = NewDisposeScope();
        var layer = new ProbabilisticMaxPool2d(2);
        Assert.Equal(1, layer.call(full([1, 1, 2, 2], 1e30f)).ToSingle());
        Assert.Equal(0, layer.call(full([1, 1, 2, 2], -1e30f)).ToSingle());
        Assert.Equal(0, layer.call(full([1, 1, 2, 2], float.NegativeInfinity)).ToSingle());
        Assert.Equal(4 * Math.Exp(-40), layer.call(full([1, 1, 2, 2], -40f)).ToSingle(), 1e-22);
        var x = (randn(50, 4, 9, 9) * 20).requires_grad_();
        var y = layer.call(x);
        Assert.InRange(y.max().ToSingle(), 0, 1);
        y.sum().backward();
        Assert.True(x.grad!.isfinite().all().ToBoolean());
    }

    [Fact]
    public void One_unit_a_block_is_the_logistic_function_and_a_block_of_equal_units_shifts_it()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 4, 4, dtype: ScalarType.Float64);
        Tolerance.AssertClose(x.sigmoid(), pooling.probabilistic_max_pool2d(x, 1));
        var coarse = randn(2, 3, 2, 2, dtype: ScalarType.Float64);
        var equal = nn.functional.interpolate(coarse, scale_factor: [2, 2]);
        Tolerance.AssertClose((coarse + Math.Log(4)).sigmoid(), pooling.probabilistic_max_pool2d(equal, 2));
        Tolerance.AssertClose(pooling.probabilistic_max_pool2d(equal, 2), pooling.probabilistic_max_pool2d(zeros_like(equal), 2, coarse));
    }

    [Fact]
    public void Both_inputs_take_gradients_that_agree_with_central_differences()
    {
        using var scope = NewDisposeScope();
        var x = randn(1, 2, 5, 3, dtype: ScalarType.Float64).requires_grad_();
        var above = randn(1, 2, 3, 2, dtype: ScalarType.Float64).requires_grad_();
        var (direction, fine) = (randn_like(above), randn_like(x));
        Tensor Loss() => (pooling.probabilistic_max_pool2d(x, 2, above) * direction).sum() + (pooling.probabilistic_max_hidden2d(x, 2, above) * fine).sum();
        Loss().backward();
        Tolerance.AssertClose(CentralDifferences.Of(x, Loss), x.grad!, 1e-6);
        Tolerance.AssertClose(CentralDifferences.Of(above, Loss), above.grad!, 1e-6);
    }

    [Fact]
    public void Ten_thousand_draws_have_the_distribution_of_the_block()
    {
        using var scope = NewDisposeScope();
        const int draws = 10_000;
        var block = tensor(new[] { 0.5, -1, 0, -2, 1, -0.5 }).reshape(1, 1, 3, 2).to(ScalarType.Float32);
        var above = full([draws, 1, 1, 1], -0.4f);
        var (hidden, pooled) = new ProbabilisticMaxPool2d((3, 2)).sample(block.expand(draws, 1, 3, 2), above, new Generator(11));
        Tolerance.AssertClose(hidden.sum([2, 3], keepdim: true), pooled, 0);
        Assert.Equal([0f, 1f], pooled.unique().output.data<float>().ToArray());
        var e = (block.flatten() - 0.4).exp();
        var expected = cat([e, ones(1)]) / (e.sum() + 1) * draws;
        var counts = cat([hidden.sum(dim: 0).flatten(), (1 - pooled).sum().reshape(1)]);
        var square = ((counts - expected).square() / expected).sum().ToDouble();
        Assert.InRange(square, 0, 22.46);   // 99.9 % of chi-square with 6 degrees of freedom
    }

    [Fact]
    public void Draws_follow_the_generator_and_take_no_gradient()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6).requires_grad_();
        Tensor Draw(ulong seed) => pooling.probabilistic_max_sample2d(x, 2, generator: new Generator(seed)).hidden;
        Tolerance.AssertClose(Draw(1), Draw(1), 0);
        Assert.False(Draw(1).equal(Draw(2)).all().ToBoolean());
        Assert.False(Draw(1).requires_grad);
        var (hidden, pooled) = pooling.probabilistic_max_sample2d(x.to(ScalarType.BFloat16), (2, 4));
        Assert.Equal((ScalarType.BFloat16, ScalarType.BFloat16), (hidden.dtype, pooled.dtype));
        Assert.Equal([2, 3, 4, 2], pooled.shape);
        Assert.Equal([0, 3, 7, 6], pooling.probabilistic_max_sample2d(x[..0], 2).hidden.shape);
        Assert.Equal(0, pooling.probabilistic_max_sample2d(full([9, 9, 9, 9], -1e30f), 3).hidden.sum().ToSingle());
        Assert.Equal(81 * 9, pooling.probabilistic_max_sample2d(full([9, 9, 9, 9], 1e30f), 3).hidden.sum().ToSingle());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_draw_of_a_block_with_NaN_or_infinity_is_NaN(float pixel)
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 2, 4);
        x[0, 0, 0, 3] = pixel;
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float16 })
        {
            var (hidden, pooled) = pooling.probabilistic_max_sample2d(x.to(dtype), 2);
            Assert.Equal([false, false, true, true, false, false, true, true], hidden.isnan().data<bool>().ToArray());
            Assert.Equal([false, true], pooled.isnan().data<bool>().ToArray());
        }

        var (units, on) = pooling.probabilistic_max_sample2d(zeros(1, 1, 2, 4), 2, tensor(new[] { 1e30f, pixel }).reshape(1, 1, 1, 2));
        Assert.Equal([1f, float.NaN], on.data<float>().ToArray());
        Assert.Equal(4, units.isnan().sum().ToInt64());
    }

    [Fact]
    public void A_network_with_it_learns()
    {
        using var scope = NewDisposeScope();
        var (images, labels) = (Seeded.Normal(1, [8, 3, 12, 12]), arange(8) % 2);
        images[labels == 1] += 1;
        var network = nn.Sequential(
            nn.Conv2d(3, 6, 3), new ProbabilisticMaxPool2d(2), nn.Conv2d(6, 6, 3), new ProbabilisticMaxPool2d(2), nn.Flatten(), nn.Linear(24, 2));
        Seeded.Start(network, 1);
        var optimizer = optim.Adam(network.parameters(), 0.02);
        Tensor Loss() => nn.functional.cross_entropy(network.call(images), labels);
        var before = Loss().ToDouble();
        for (var step = 0; step < 60; step++)
        {
            optimizer.zero_grad();
            Loss().backward();
            optimizer.step();
        }

        Assert.InRange(Loss().ToDouble(), 0, 0.2 * before);
    }

    [Fact]
    public void The_script_form_takes_the_input_from_above()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var layer = new ProbabilisticMaxPool2d((2, 3));
        var (x, above) = (randn(2, 3, 5, 7), randn(2, 3, 3, 3));
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load(folder.File("m.pt"));
        Tolerance.AssertClose(layer.forward(x, above), (Tensor)script.call(x, above)!);
        Tolerance.AssertClose(layer.hidden(x, above), (Tensor)script.invoke("hidden", x, above)!);
        Tolerance.AssertClose(layer.hidden(x), (Tensor)script.invoke("hidden", x)!);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 5, 4);
        Refused("expected the shape (1, 2, 3, 2), got 4 dimensions (1, 2, 2, 2)", () => pooling.probabilistic_max_pool2d(x, 2, rand(1, 2, 2, 2)));
        Refused("expected Float32 on cpu, got Float64 on cpu", () => pooling.probabilistic_max_hidden2d(x, 2, rand(1, 2, 3, 2, dtype: ScalarType.Float64)));
        Refused("expected 1 to 2147483647", () => new ProbabilisticMaxPool2d(0));
        Refused("expected one number or (height, width), got []", () => new ProbabilisticMaxPool2d(default));
        Refused("expected a generator on meta as the map, got cpu", () => pooling.probabilistic_max_sample2d(x.to(META), 2, generator: new Generator(1)));
        Refused("expected a feature map (N, C, H, W), got 2 dimensions (3, 4)", () => new ProbabilisticMaxPool2d(2).sample(rand(3, 4)));

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
