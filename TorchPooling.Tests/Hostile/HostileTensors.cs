using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>What tensors an adversary makes of a sound one.</summary>
internal static class HostileTensors
{
    /// <summary>Each is a name and what it makes; those that keep shape and type first.</summary>
    public static IReadOnlyList<(string Text, Func<Tensor, Tensor> Of)> Changes { get; } =
    [
        .. Values(), .. Storage(), .. Types(), .. Sizes(),
    ];

    /// <summary>Changes for all tensors of a call at once.</summary>
    public static IReadOnlyList<(string Text, Func<Tensor, Tensor> Of)> Together { get; } =
    [
        .. Changes.Take(Values().Count() + Storage().Count() + Types().Count()),
        ("of empty batches", x => x.dim() > 1 && x.size(0) == 2 ? x.narrow(0, 0, 0) : x),
    ];

    private static IEnumerable<(string, Func<Tensor, Tensor>)> Values()
    {
        foreach (var value in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity, 3e38, -3e38, 1e-45, 0, -1, 1e9, 7 })
        {
            yield return ($"full of {value}", x => x.is_floating_point() ? full_like(x, value) : full_like(x, Whole(value, x.dtype)));
        }

        yield return ("with one NaN", x => With(x, double.NaN));
        yield return ("with one infinity", x => With(x, double.PositiveInfinity));
        yield return ("with one 3e38", x => With(x, 3e38));
        yield return ("with one largest", x => With(x, x.is_floating_point() ? float.MaxValue : double.MaxValue));
        yield return ("with one smallest", x => With(x, x.is_floating_point() ? float.MinValue : double.MinValue));
    }

    private static IEnumerable<(string, Func<Tensor, Tensor>)> Storage()
    {
        yield return ("that requires a gradient", x => x.is_floating_point() ? x.clone().requires_grad_() : x);
        yield return ("with its strides reversed", x => x.permute([.. Axes(x).Reverse()]).contiguous().permute([.. Axes(x).Reverse()]));
        yield return ("of every second element", x => x.repeat_interleave(2, -1 + x.dim() == -1 ? null : x.dim() - 1)[TensorIndex.Ellipsis, TensorIndex.Slice(step: 2)]);
        yield return ("expanded from one element", x => x.flatten().narrow(0, 0, 1).squeeze(0).expand(x.shape));
        yield return ("on the meta device", x => x.to(META));
        yield return ("sparse", Sparse);
        yield return ("disposed", x =>
        {
            var gone = x.clone();
            gone.Dispose();
            return gone;
        });
    }

    private static IEnumerable<(string, Func<Tensor, Tensor>)> Types() =>
        new[]
        {
            ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float64, ScalarType.Int64, ScalarType.Int32, ScalarType.Byte,
            ScalarType.Bool, ScalarType.ComplexFloat32, ScalarType.ComplexFloat64,
        }.Select(dtype => ($"of {dtype}", (Func<Tensor, Tensor>)(x => x.to(dtype))));

    private static IEnumerable<(string, Func<Tensor, Tensor>)> Sizes()
    {
        for (var rank = 0; rank <= 6; rank++)
        {
            var shape = Enumerable.Repeat(2L, rank).ToArray();
            yield return ($"of {rank} dimensions", x => ones(shape, dtype: x.dtype));
        }

        for (var axis = 0; axis < 5; axis++)
        {
            var at = axis;
            yield return ($"with size 0 in dimension {axis}", x => at < x.dim() ? x.narrow(at, 0, 0) : zeros([0], dtype: x.dtype));
            yield return ($"with size 1 in dimension {axis}", x => at < x.dim() && x.size(at) > 0 ? x.narrow(at, 0, 1) : zeros([1], dtype: x.dtype));
            yield return ($"with one more in dimension {axis}", x =>
                at < x.dim() ? cat([x, ones([.. x.shape[..at], 1, .. x.shape[(at + 1)..]], dtype: x.dtype)], at) : zeros([3], dtype: x.dtype));
        }

        yield return ("with all sizes 1", x => ones([.. x.shape.Select(_ => 1L)], dtype: x.dtype));
        yield return ("with all sizes 0", x => ones([.. x.shape.Select(_ => 0L)], dtype: x.dtype));
        yield return ("of 17 channels by 33 by 1", x => ones([2, 17, 33, 1], dtype: x.dtype));
    }

    private static Tensor With(Tensor x, double value)
    {
        var changed = x.clone();
        if (x.numel() > 0)
        {
            changed.flatten().narrow(0, x.numel() / 2, 1).fill_(x.is_floating_point() ? value : Whole(value, x.dtype));
        }

        return changed;
    }

    private static Scalar Whole(double value, ScalarType dtype) =>
        dtype == ScalarType.Bool ? value > 0 : double.IsNaN(value) || value is < -1e9 ? long.MinValue : value > 1e10 ? long.MaxValue : (long)value;

    private static Tensor Sparse(Tensor x)
    {
        var places = x.nonzero();
        return x.dim() == 0 || places.size(0) == 0 ? x.to(META) : sparse_coo_tensor(places.t(), x[x != 0], x.shape);
    }

    private static IEnumerable<long> Axes(Tensor x) => Enumerable.Range(0, (int)x.dim()).Select(i => (long)i);
}
