using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Arithmetic of tensors and numbers that is safe beside the garbage collector.</summary>
/// <remarks>TorchSharp 0.107 makes a Scalar of every number, of the 1 in a + 1·b too, and forgets it before libtorch has read it: a
/// collection that another thread starts may free it meanwhile, and the call fails, or computes with what came in its place. The library
/// therefore writes <c>x * Held(0.5)</c>, <c>a.Plus(b)</c>, <c>x.rsub(1)</c>, <c>x.Squared()</c>, <c>Indices(n)</c> instead of
/// <c>x * 0.5</c>, <c>a + b</c>, <c>1 - x</c>, <c>x.square()</c>, <c>arange(n)</c>, everywhere; a test of the compiled code finds the others.
/// </remarks>
internal static class Numbers
{
    private static readonly Scalar One = 1;
    private static readonly Scalar Two = 2;

    /// <summary>The latest numbers of each thread: no call of libtorch takes as many.</summary>
    [ThreadStatic]
    private static Scalar[]? latest;

    [ThreadStatic]
    private static int count;

    /// <summary>A number that lives until this thread has made eight more.</summary>
    public static Scalar Held(long number) => Hold(number);

    /// <inheritdoc cref="Held(long)"/>
    public static Scalar Held(double number) => Hold(number);

    /// <inheritdoc cref="Held(long)"/>
    public static Scalar Held(bool number) => Hold(number);

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <inheritdoc cref="Plus(Tensor, Tensor)"/>
    public static Tensor Plus(this Tensor a, long b) => a.add(Held(b), One);

    /// <inheritdoc cref="Plus(Tensor, Tensor)"/>
    public static Tensor Plus(this Tensor a, double b) => a.add(Held(b), One);

    /// <summary>a − x, as PyTorch's rsub.</summary>
    public static Tensor rsub(this Tensor x, long a) => x.neg().add_(Held(a), One);

    /// <inheritdoc cref="rsub(Tensor, long)"/>
    public static Tensor rsub(this Tensor x, double a) => x.neg().add_(Held(a), One);

    /// <summary>x².</summary>
    public static Tensor Squared(this Tensor x) => x.pow(Two);

    /// <summary>0, 1, …, count − 1.</summary>
    public static Tensor Indices(long count, ScalarType? dtype = null, Device? device = null) =>
        arange(Held(0), Held(count), One, dtype: dtype, device: device);

    /// <summary>The one number of a tensor.</summary>
    public static double ToDouble(this Tensor x) => Read(x, value => value.ToDouble());

    /// <inheritdoc cref="ToDouble"/>
    public static float ToSingle(this Tensor x) => Read(x, value => value.ToSingle());

    /// <inheritdoc cref="ToDouble"/>
    public static long ToInt64(this Tensor x) => Read(x, value => value.ToInt64());

    /// <inheritdoc cref="ToDouble"/>
    public static bool ToBoolean(this Tensor x) => Read(x, value => value.ToBoolean());

    private static T Read<T>(Tensor x, Func<Scalar, T> read)
    {
        using var value = x.ToScalar();
        return read(value);
    }

    private static Scalar Hold(Scalar number)
    {
        latest ??= new Scalar[8];
        return latest[count++ & 7] = number;
    }
}
