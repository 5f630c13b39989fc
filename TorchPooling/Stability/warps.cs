using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Images moved, turned, zoomed and deformed by bilinear sampling, to measure what a network makes of it.</summary>
/// <remarks>
/// <para>Every output pixel reads the input at a position between four pixels: y[n,c,h,w] = x[n,c,(h,w) + d(h,w)], in pixels, weighed by
/// the products of the distances, in float32 at least. A position on a pixel gives that pixel exactly, if its neighbours are finite:
/// moving by whole pixels, turning a square map by 90° and any warp by nothing lose nothing.</para>
/// <para>A position outside the map reads the nearest border pixel; <see cref="translate"/> can go around instead. There is no filter
/// against aliasing.</para>
/// <para>Shape: input (N, C, H, W), output the same, in the input's dtype, differentiable with respect to the input.</para>
/// </remarks>
public static partial class warps
{
    /// <summary>Moves the images: y[h,w] = x[h − dy, w − dx].</summary>
    /// <param name="x">Images, shape (N, C, H, W).</param>
    /// <param name="dy">Pixels downwards, whole or not.</param>
    /// <param name="dx">Pixels to the right.</param>
    /// <param name="wrap">Whether what leaves on one side enters on the other; by whole pixels that is <c>roll</c>, exactly.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dy"/> or <paramref name="dx"/> is not finite.</exception>
    public static Tensor translate(Tensor x, double dy, double dx, bool wrap = false)
    {
        Check.FeatureMap(x);
        Check.Finite(dy, nameof(dy));
        Check.Finite(dx, nameof(dx));
        using var scope = NewDisposeScope();
        var (rows, columns) = Positions(x);
        var y = Sample(x, rows - Held(wrap ? dy % x.size(2) : dy), columns - Held(wrap ? dx % x.size(3) : dx), wrap);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>Turns the images counter-clockwise around their centre ((H − 1)/2, (W − 1)/2).</summary>
    /// <param name="x">Images, shape (N, C, H, W).</param>
    /// <param name="degrees">Angle; multiples of 90° of a square map are <c>rot90</c>, exactly.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="degrees"/> is not finite.</exception>
    public static Tensor rotate(Tensor x, double degrees)
    {
        Check.FeatureMap(x);
        Check.Finite(degrees, nameof(degrees));
        using var scope = NewDisposeScope();
        var (sin, cos) = double.SinCosPi(degrees % 360 / 180);   // exact at right angles
        var (down, across) = FromCenter(x);
        var rows = (down * Held(cos)).Plus(Center(x, 2)).Plus(across * Held(sin));
        var columns = (across * Held(cos)).Plus(Center(x, 3)) - down * Held(sin);
        return Sample(x, rows, columns).MoveToOuterDisposeScope();
    }

    /// <summary>Zooms the images around their centre ((H − 1)/2, (W − 1)/2); height and width stay.</summary>
    /// <param name="x">Images, shape (N, C, H, W).</param>
    /// <param name="factor">Above 1 things grow, below they shrink; positive.</param>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not a map.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is not positive or not finite.</exception>
    public static Tensor scale(Tensor x, double factor)
    {
        Check.FeatureMap(x);
        Check.Finite(factor, nameof(factor));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(factor);
        using var scope = NewDisposeScope();
        var (down, across) = FromCenter(x);
        return Sample(x, (down / Held(factor)).Plus(Center(x, 2)), (across / Held(factor)).Plus(Center(x, 3))).MoveToOuterDisposeScope();
    }

    /// <summary>Row and column of every pixel, float64, (1, H, 1) and (1, 1, W).</summary>
    private static (Tensor Rows, Tensor Columns) Positions(Tensor x) =>
        (Indices(x.size(2), dtype: ScalarType.Float64, device: x.device).view(1, -1, 1),
            Indices(x.size(3), dtype: ScalarType.Float64, device: x.device).view(1, 1, -1));

    private static (Tensor Down, Tensor Across) FromCenter(Tensor x)
    {
        var (rows, columns) = Positions(x);
        return (rows - Held(Center(x, 2)), columns - Held(Center(x, 3)));
    }

    private static double Center(Tensor x, int dim) => (x.size(dim) - 1) / 2.0;

    /// <summary>The input at positions (B, H, W) or what broadcasts to it, B = 1 for all images or N.</summary>
    private static Tensor Sample(Tensor x, Tensor rows, Tensor columns, bool wrap = false)
    {
        using var scope = NewDisposeScope();
        var (top, bottom, down) = Between(rows, x.size(2), wrap);
        var (left, right, across) = Between(columns, x.size(3), wrap);
        var wide = x.to(Check.AtLeastFloat32(x.dtype));
        (down, across) = (down.unsqueeze(1).to(wide.dtype), across.unsqueeze(1).to(wide.dtype));
        var upper = (At(wide, top, left) * across.rsub(1)).Plus(At(wide, top, right) * across);
        var lower = (At(wide, bottom, left) * across.rsub(1)).Plus(At(wide, bottom, right) * across);
        return (upper * down.rsub(1)).Plus(lower * down).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The pixels on both sides of a position, and how far it is from the first.</summary>
    private static (Tensor First, Tensor Second, Tensor Part) Between(Tensor positions, long size, bool wrap)
    {
        var inside = wrap ? positions : positions.clamp(Held(0), Held(size - 1));
        var floor = inside.floor();
        var first = floor.@long();
        return wrap
            ? (first.remainder(Held(size)), first.Plus(1).remainder(Held(size)), inside - floor)
            : (first, first.Plus(1).clamp_max(Held(size - 1)), inside - floor);
    }

    private static Tensor At(Tensor x, Tensor rows, Tensor columns)
    {
        using var scope = NewDisposeScope();
        var places = (rows * Held(x.size(3))).Plus(columns).expand(-1, x.size(2), x.size(3)).flatten(1).unsqueeze(1);
        return x.flatten(2).gather(2, places.expand(x.size(0), x.size(1), -1)).view(x.shape).MoveToOuterDisposeScope();
    }
}
