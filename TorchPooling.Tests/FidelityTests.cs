using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests;

/// <summary>What every pooling of <see cref="Registry"/> keeps of its map: nothing of the positions where it promises that,
/// two digits in half precision, and no NaN or infinite gradient for maps of zeros, of random values up to 1e30 (6e4 in float16)
/// and of equal ones up to 1e24: beyond, the gradients of layers that normalise may leave float32.</summary>
public class FidelityTests
{
    private static readonly long[] Seeds = [1, 2, 3];

    private static IEnumerable<Case> Poolings => Registry.Cases.Where(item => item.IsPooling);

    public static TheoryData<Case> PositionFree => new(Poolings.Where(item => item.PositionFree));

    public static TheoryData<Case, ScalarType, double> HalfPrecision => Product(
        [ScalarType.Float16, ScalarType.BFloat16], [1e-3, 1.0, 1e3]);

    public static TheoryData<Case, ScalarType, string> Extremes => Product(
        [ScalarType.Float32, ScalarType.Float16], ["zero", "constant", "huge", "huge constant"]);

    [Theory, MemberData(nameof(PositionFree))]
    public void Permuted_positions_give_the_same_descriptor(Case item)
    {
        var order = tensor(new long[] { 5, 2, 23, 0, 11, 17, 8, 20, 14, 1, 7, 13, 19, 3, 9, 15, 21, 4, 10, 16, 22, 6, 12, 18 });
        foreach (var seed in Seeds)
        {
            using var scope = NewDisposeScope();
            var module = item.Create(seed);
            module.eval();
            var x = Seeded.Normal(seed, [2, item.Channels, 6, 4]);
            var permuted = x.flatten(2).index_select(2, order).reshape(2, item.Channels, 3, 8);
            Tolerance.AssertClose(module.call(x), module.call(permuted), 1e-5, $"{item}, seed {seed}");
        }
    }

    [Theory, MemberData(nameof(HalfPrecision))]
    public void Half_precision_keeps_two_digits_at_any_magnitude(Case item, ScalarType dtype, double magnitude)
    {
        foreach (var seed in Seeds)
        {
            using var scope = NewDisposeScope();
            var module = item.Create(seed);
            module.to(dtype);
            module.eval();
            var x = (Seeded.Normal(seed, [3, item.Channels, 5, 4]) * magnitude).to(dtype);
            var actual = module.call(x).to(ScalarType.Float64).flatten(1);
            module.to(ScalarType.Float64);   // the same rounded parameters
            var expected = module.call(x.to(ScalarType.Float64)).flatten(1);
            var error = ((actual - expected).norm(1) / expected.norm(1)).max().ToDouble();
            Assert.True(error < 1e-2, $"{item}, seed {seed}, is off by {error:G3}");
        }
    }

    [Theory, MemberData(nameof(Extremes))]
    public void No_map_gives_NaN_or_an_infinite_gradient(Case item, ScalarType dtype, string kind)
    {
        foreach (var seed in Seeds)
        {
            using var scope = NewDisposeScope();
            var module = item.Create(seed);
            module.to(dtype);
            var x = Map(item, dtype, kind, seed).to(dtype).requires_grad_();
            var y = module.call(x);
            Assert.False(y.isnan().any().ToBoolean(), $"{item}, seed {seed}: NaN");
            y.sum().backward();
            var parameters = dtype == ScalarType.Float16 && kind.StartsWith("huge", StringComparison.Ordinal) && item.SumsPixels ? [] : module.named_parameters();
            foreach (var (name, value) in parameters.Select(p => (p.name, (Tensor)p.parameter)).Append(("x", x)))
            {
                Assert.True(value.grad!.isfinite().all().ToBoolean(), $"{item}, seed {seed}: gradient of {name}");
            }
        }
    }

    private static Tensor Map(Case item, ScalarType dtype, string kind, long seed)
    {
        var largest = dtype == ScalarType.Float16 ? 6e4 : 1e30;
        long[] shape = [2, item.Channels, 5, 4];
        switch (kind)
        {
            case "zero": return zeros(shape);
            case "constant": return ones(shape);
            // Clusters or regions all but cancel: 1e24 times 1e12, the steepest slope of a normalisation, is still a float32;
            // 1e30 times 1e12 is none.
            case "huge constant": return full(shape, Math.Min(largest, 1e24));
            default:
                using (var generator = new Generator((ulong)seed))
                {
                    return (rand(shape, generator: generator) * 2 - 1) * largest;
                }
        }
    }

    private static TheoryData<Case, T1, T2> Product<T1, T2>(IReadOnlyList<T1> firsts, IReadOnlyList<T2> seconds)
    {
        var data = new TheoryData<Case, T1, T2>();
        foreach (var item in Poolings)
        {
            foreach (var first in firsts)
            {
                foreach (var second in seconds)
                {
                    data.Add(item, first, second);
                }
            }
        }

        return data;
    }
}
