using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>The generators of the operators that draw; some tests draw from the process's own, so none may run beside them.</summary>
[Collection(nameof(AloneCollection))]
public class GeneratorTests
{
    private const int Draws = 10_000;

    public static TheoryData<string> Operators => ["StochasticPool2d", "ProbabilisticMaxPool2d"];

    [Theory, MemberData(nameof(Operators))]
    public void A_disposed_one_is_refused_from_which_libtorch_would_draw_as_from_the_global_one(string name)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1);
        generator.Dispose();
        random.manual_seed(5);
        var silent = rand(3, generator: generator);
        random.manual_seed(5);
        Tolerance.AssertClose(rand(3), silent, 0);

        var state = get_rng_state();
        var refusal = Assert.Throws<ArgumentException>("generator", () => Draw(name, rand(1, 1, 2, 2, generator: new Generator(2)), generator));
        Assert.Contains("expected a generator that is not disposed", refusal.Message, StringComparison.Ordinal);
        Assert.True(state.Equals(get_rng_state()));
    }

    [Theory, MemberData(nameof(Operators))]
    public void One_for_another_device_is_refused(string name)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, META);
        var refusal = Assert.Throws<ArgumentException>("generator", () => Draw(name, rand(1, 1, 2, 2), generator));
        Assert.Contains("expected a generator on cpu as the map, got meta", refusal.Message, StringComparison.Ordinal);
    }

    [CudaTheory, MemberData(nameof(Operators))]
    public void On_CUDA_every_one_is_refused_because_TorchSharp_makes_them_on_the_CPU(string name)
    {
        using var scope = NewDisposeScope();
        using var cpu = new Generator(1);
        using var cuda = new Generator(1, CUDA);
        var x = rand(1, 1, 2, 2, device: CUDA);
        Assert.Contains("as the map, got cpu", Assert.Throws<ArgumentException>("generator", () => Draw(name, x, cpu)).Message, StringComparison.Ordinal);
        Assert.Contains("expected null for a map on cuda", Assert.Throws<ArgumentException>("generator", () => Draw(name, x, cuda)).Message, StringComparison.Ordinal);
    }

    [CudaTheory, MemberData(nameof(Operators))]
    public void On_CUDA_ten_thousand_draws_have_their_distribution_and_a_seed_repeats_them(string name)
    {
        using var scope = NewDisposeScope();
        var unit = tensor(new float[] { 1, 2, 3, 4 });   // shares 0.1 to 0.4
        var pixels = name == "StochasticPool2d" ? unit : unit.log();
        var x = pixels.to(CUDA).reshape(1, 1, 2, 2).expand(Draws, 1, 2, 2);
        cuda.manual_seed(12);
        var y = Draw(name, x, null);
        cuda.manual_seed(12);
        Tolerance.AssertClose(y, Draw(name, x, null), 0);
        Assert.Equal(DeviceType.CUDA, y.device_type);

        var (counts, shares) = name == "StochasticPool2d"
            ? (stack(unit.to(CUDA).unbind(0).Select(pixel => (y == pixel).sum())), unit / 10)
            : (cat([y.sum(dim: 0).flatten(), Draws - y.sum().reshape(1)]), cat([unit, ones(1)]) / 11);   // none on is e⁰ = 1
        Assert.Equal(Draws, counts.sum().ToInt64());
        var expected = shares.to(ScalarType.Float64) * Draws;
        var square = ((counts.cpu() - expected).square() / expected).sum().ToDouble();
        Assert.InRange(square, 0, 18.47);   // 99.9 % of chi-square with 4 degrees of freedom, more with 3
    }

    private static Tensor Draw(string name, Tensor x, Generator? generator) => name == "StochasticPool2d"
        ? pooling.stochastic_pool2d(x, 2, generator: generator)
        : pooling.probabilistic_max_sample2d(x, 2, generator: generator).hidden;
}
