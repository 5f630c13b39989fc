using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

/// <summary>A local pooling as its formula says: a loop over windows, each statistic of the pixels in the map, in float64.</summary>
internal static class Windows
{
    /// <summary>The statistic of every window: its pixels in row-major order, those of the padding left out.</summary>
    public static Tensor Pool(
        Tensor x, (long H, long W) kernel, (long H, long W) stride, (long H, long W) padding, (long H, long W) dilation, bool ceil,
        Func<IReadOnlyList<double>, double> statistic) =>
        Pool(x, kernel, stride, padding, dilation, ceil, (values, _) => statistic(values));

    /// <summary>The same with the place of each pixel in its window, (row, column) from 0.</summary>
    public static Tensor Pool(
        Tensor x, (long H, long W) kernel, (long H, long W) stride, (long H, long W) padding, (long H, long W) dilation, bool ceil,
        Func<IReadOnlyList<double>, IReadOnlyList<(long Row, long Column)>, double> statistic)
    {
        var like = nn.functional.max_pool2d(
            x.detach(), [kernel.H, kernel.W], [stride.H, stride.W], [padding.H, padding.W], [dilation.H, dilation.W], ceil);   // its shape alone
        var (source, target) = (x.detach().to(ScalarType.Float64).contiguous().data<double>().ToNDArray(), new List<double>());
        var windows =
            from n in Range(like.size(0))
            from c in Range(like.size(1))
            from h in Range(like.size(2))
            from w in Range(like.size(3))
            select (n, c, h, w);
        foreach (var (n, c, h, w) in windows)
        {
            var pixels = (
                from i in Range(kernel.H)
                from j in Range(kernel.W)
                let row = (h * stride.H) - padding.H + (i * dilation.H)
                let column = (w * stride.W) - padding.W + (j * dilation.W)
                where row >= 0 && row < x.size(2) && column >= 0 && column < x.size(3)
                select (Value: (double)source.GetValue(n, c, row, column)!, Place: (i, j))).ToList();
            target.Add(statistic([.. pixels.Select(p => p.Value)], [.. pixels.Select(p => p.Place)]));
        }

        return tensor(target.ToArray()).reshape(like.shape);

        static IEnumerable<long> Range(long count) => Enumerable.Range(0, (int)count).Select(i => (long)i);
    }
}
