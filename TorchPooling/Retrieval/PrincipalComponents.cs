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
        covariance.div_(Held(data.Count - 1));
        var (values, vectors) = Largest(covariance, count);
        return Moved(values, vectors, covariance.trace().ToDouble());
    }

    /// <summary>By subspace iteration: an orthonormal basis Q of more directions than are asked for is multiplied by
    /// C − shift·I in each pass, then C inside Q is decomposed.</summary>
    /// <remarks>The shifts are the roots of the Chebyshev polynomial on [0, e], e being the smallest eigenvalue of C inside an early
    /// Q, which is never above the last that Q has room for: no polynomial of that degree damps all directions below e more.
    /// An orthonormal basis after each factor keeps the digits that the polynomial at once would lose in float32.</remarks>
    public static PrincipalComponents Randomised(DescriptorPasses data, long count, int seed, int iterations = 4)
    {
        using var scope = NewDisposeScope();
        var directions = Math.Min(count + Math.Max(32, count / 8), Math.Min(data.Width, data.Count - 1));
        var basis = RandomBasis(data, directions, seed);
        basis = Orthonormal(basis, Product(data, basis));
        var edge = 0.0;
        for (var i = 0; i < iterations; i++)
        {
            var product = Product(data, basis);
            edge = i == 0 ? SmallestInside(basis, product) : edge;
            var root = (1 + Math.Cos((2 * i + 1) * Math.PI / (2 * iterations))) / 2;
            basis = Orthonormal(basis, product.add_(basis, Held(-root * edge)));
        }

        return Inside(data, basis, count);
    }

    /// <summary>C·basis.</summary>
    private static Tensor Product(DescriptorPasses data, Tensor basis)
    {
        var product = zeros_like(basis);
        data.Centred(ScalarType.Float32, x => product.addmm_(x.t(), x.matmul(basis)));
        return product.div_(Held(data.Count - 1));
    }

    /// <summary>The basis that takes the place of another one; both arguments are disposed.</summary>
    private static Tensor Orthonormal(Tensor basis, Tensor product)
    {
        basis.Dispose();
        using (product)
        {
            var (q, r) = linalg.qr(product);
            r.Dispose();
            return q;
        }
    }

    /// <summary>The smallest eigenvalue of C inside a basis.</summary>
    private static double SmallestInside(Tensor basis, Tensor product)
    {
        using var scope = NewDisposeScope();
        var inside = Finite(basis.t().matmul(product).to(ScalarType.Float64));
        return Math.Max(0, linalg.eigvalsh(inside.Plus(inside.t()) / Held(2))[0].ToDouble());
    }

    /// <summary>The largest components inside a basis, which is disposed.</summary>
    private static PrincipalComponents Inside(DescriptorPasses data, Tensor basis, long count)
    {
        var total = 0.0;
        var covariance = zeros(basis.size(1), basis.size(1), dtype: ScalarType.Float64, device: data.Device);
        data.Centred(ScalarType.Float32, x =>
        {
            total += x.Squared().sum(ScalarType.Float64).ToDouble();
            var y = x.matmul(basis).to(ScalarType.Float64);
            covariance.addmm_(y.t(), y);
        });
        var (values, vectors) = Largest(covariance.div_(Held(data.Count - 1)), count);
        var leading = basis.matmul(vectors.to(ScalarType.Float32));
        basis.Dispose();
        return Moved(values, leading, total / (data.Count - 1));
    }

    private static Tensor RandomBasis(DescriptorPasses data, long directions, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return randn([data.Width, directions], dtype: ScalarType.Float32, generator: generator).to(data.Device);
    }

    /// <summary>The largest eigenvalues, none below 0, in descending order.</summary>
    private static (Tensor Values, Tensor Vectors) Largest(Tensor symmetric, long count)
    {
        var (values, vectors) = linalg.eigh(Finite(symmetric));
        var rest = symmetric.size(0) - count;
        return (values.narrow(0, rest, count).flip(0).clamp_min(Held(0)), vectors.narrow(1, rest, count).flip(1));
    }

    private static Tensor Finite(Tensor products) => products.isfinite().all().ToBoolean()
        ? products
        : throw new ArgumentException("expected descriptors whose squares are finite, got larger ones: scale them", "batches");

    private static PrincipalComponents Moved(Tensor values, Tensor vectors, double total)
    {
        // In place: at full size each copy of the vectors is half a gigabyte.
        var negative = vectors.amax([0]) < -vectors.amin([0]);
        vectors.mul_(where(negative, -ones_like(vectors[0]), ones_like(vectors[0])));
        return new(values.MoveToOuterDisposeScope(), vectors.MoveToOuterDisposeScope(), total);
    }
}
