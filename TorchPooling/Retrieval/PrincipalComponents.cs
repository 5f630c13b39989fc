using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The largest eigenvalues of a covariance and their eigenvectors.</summary>
/// <param name="Variances">Largest first, shape (count), float64.</param>
/// <param name="Vectors">Unit columns, shape (D, count); the largest entry by magnitude of each is positive.</param>
/// <param name="Total">The trace of the covariance.</param>
internal sealed record PrincipalComponents(Tensor Variances, Tensor Vectors, double Total)
{
    private const long LargestExact = 4096;

    public static PrincipalComponents Of(DescriptorPasses data, long count, int seed) =>
        data.Width <= LargestExact ? Exact(data, count) : Randomised(data, count, seed);

    /// <summary>By the whole covariance, in float64.</summary>
    public static PrincipalComponents Exact(DescriptorPasses data, long count)
    {
        using var scope = NewDisposeScope();
        var covariance = zeros(data.Width, data.Width, dtype: ScalarType.Float64, device: data.Device);
        data.Centred(ScalarType.Float64, x => covariance.addmm_(x.t(), x));
        covariance.div_(data.Count - 1);
        var (values, vectors) = Largest(covariance, count);
        return Moved(values, vectors, covariance.trace().ToDouble());
    }

    /// <summary>By subspace iteration: an orthonormal basis Q of more directions than are asked for is multiplied by the covariance
    /// in each pass, then the covariance inside Q is decomposed.</summary>
    public static PrincipalComponents Randomised(DescriptorPasses data, long count, int seed, int iterations = 4)
    {
        using var scope = NewDisposeScope();
        var directions = Math.Min(count + Math.Max(32, count / 8), Math.Min(data.Width, data.Count - 1));
        var basis = RandomBasis(data, directions, seed);
        for (var i = 0; i < iterations; i++)
        {
            basis = Multiplied(data, basis);
        }

        var total = 0.0;
        var inside = zeros(directions, directions, dtype: ScalarType.Float64, device: data.Device);
        data.Centred(ScalarType.Float32, x =>
        {
            total += x.square().sum(ScalarType.Float64).ToDouble();
            var y = x.matmul(basis).to(ScalarType.Float64);
            inside.addmm_(y.t(), y);
        });
        var (values, vectors) = Largest(inside.div_(data.Count - 1), count);
        return Moved(values, basis.matmul(vectors.to(ScalarType.Float32)), total / (data.Count - 1));
    }

    private static Tensor RandomBasis(DescriptorPasses data, long directions, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return randn([data.Width, directions], dtype: ScalarType.Float32, generator: generator).to(data.Device);
    }

    /// <summary>An orthonormal basis of covariance · basis.</summary>
    private static Tensor Multiplied(DescriptorPasses data, Tensor basis)
    {
        using (basis)
        {
            using var scope = NewDisposeScope();
            var product = zeros_like(basis);
            data.Centred(ScalarType.Float32, x => product.addmm_(x.t(), x.matmul(basis)));
            product.div_(product.abs().max().clamp_min(1e-30));
            var (q, _) = linalg.qr(product);
            return q.MoveToOuterDisposeScope();
        }
    }

    /// <summary>The largest eigenvalues, none below 0, in descending order.</summary>
    private static (Tensor Values, Tensor Vectors) Largest(Tensor symmetric, long count)
    {
        var (values, vectors) = linalg.eigh(symmetric);
        var rest = symmetric.size(0) - count;
        return (values.narrow(0, rest, count).flip(0).clamp_min(0), vectors.narrow(1, rest, count).flip(1));
    }

    private static PrincipalComponents Moved(Tensor values, Tensor vectors, double total)
    {
        var largest = vectors.gather(0, vectors.abs().argmax(0, keepdim: true));
        var turned = where(largest < 0, -vectors, vectors);
        return new(values.MoveToOuterDisposeScope(), turned.MoveToOuterDisposeScope(), total);
    }
}
