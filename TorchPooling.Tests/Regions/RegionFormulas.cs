using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

/// <summary>The poolings over regions as their formulas say, number by number in float64.</summary>
internal static class RegionFormulas
{
    /// <summary>Maximum (or mean, each bin of its own channels) over the pixels of each bin.</summary>
    public static Tensor Pool(Tensor x, Tensor boxes, int h, int w, double scale, bool mean)
    {
        var (map, rows) = (Numbers(x), Numbers(boxes));
        var (height, width) = ((int)x.size(2), (int)x.size(3));
        var planes = mean ? h * w : 1;
        var y = new double[boxes.size(0), x.size(1) / planes, h, w];
        Fill(y, (m, c, i, j) =>
        {
            var (top, bottom) = Span((double)rows.GetValue(m, 2)!, (double)rows.GetValue(m, 4)!, i, h, height);
            var (left, right) = Span((double)rows.GetValue(m, 1)!, (double)rows.GetValue(m, 3)!, j, w, width);
            var pixels =
                from row in Enumerable.Range(top, Math.Max(0, bottom - top))
                from column in Enumerable.Range(left, Math.Max(0, right - left))
                select (double)map.GetValue((int)(double)rows.GetValue(m, 0)!, mean ? (((c * h) + i) * w) + j : c, row, column)!;
            return pixels.DefaultIfEmpty(0).Aggregate(mean ? 0 : double.NegativeInfinity, (a, b) => mean ? a + b : Math.Max(a, b))
                / (mean ? Math.Max(1, pixels.Count()) : 1);
        });
        return tensor(y);

        (int, int) Span(double from, double to, int bin, int bins, int size)
        {
            var (start, end) = ((int)Math.Round(from * scale, MidpointRounding.AwayFromZero), (int)Math.Round(to * scale, MidpointRounding.AwayFromZero));
            var length = Math.Max(1, end - start + (mean ? 0 : 1)) / (double)bins;
            var last = mean ? size - 1 : size;
            return (Math.Clamp(start + (int)Math.Floor(bin * length), 0, last), Math.Clamp(start + (int)Math.Ceiling((bin + 1) * length), 0, last));
        }
    }

    /// <summary>Mean of the samples of each bin, each read by the hat functions of the pixels around it.</summary>
    public static Tensor Align(Tensor x, Tensor boxes, int h, int w, double scale, int ratio, bool aligned, int planes = 1)
    {
        var (map, rows) = (Numbers(x), Numbers(boxes));
        var (height, width) = ((int)x.size(2), (int)x.size(3));
        var y = new double[boxes.size(0), x.size(1) / planes, h, w];
        Fill(y, (m, c, i, j) =>
        {
            var vertical = Points((double)rows.GetValue(m, 2)!, (double)rows.GetValue(m, 4)!, i, h);
            var horizontal = Points((double)rows.GetValue(m, 1)!, (double)rows.GetValue(m, 3)!, j, w);
            var channel = planes > 1 ? (((c * h) + i) * w) + j : c;
            var sum = 0.0;
            foreach (var (v, u) in vertical.SelectMany(v => horizontal.Select(u => (v, u))).Where(p => p.v >= -1 && p.v <= height && p.u >= -1 && p.u <= width))
            {
                var (row, column) = (Math.Clamp(v, 0, height - 1), Math.Clamp(u, 0, width - 1));
                for (var r = 0; r < height; r++)
                {
                    for (var s = 0; s < width; s++)
                    {
                        sum += Math.Max(0, 1 - Math.Abs(row - r)) * Math.Max(0, 1 - Math.Abs(column - s)) * (double)map.GetValue((int)(double)rows.GetValue(m, 0)!, channel, r, s)!;
                    }
                }
            }

            return sum / Math.Max(1, vertical.Count * horizontal.Count);
        });
        return tensor(y);

        List<double> Points(double from, double to, int bin, int bins)
        {
            var offset = aligned ? 0.5 : 0;
            var (start, end) = ((from * scale) - offset, (to * scale) - offset);
            var size = (aligned ? end - start : Math.Max(end - start, 1)) / bins;
            var number = ratio > 0 ? ratio : (int)Math.Ceiling(size);
            return [.. Enumerable.Range(0, Math.Max(0, number)).Select(k => start + (bin * size) + ((k + 0.5) * size / number))];
        }
    }

    private static Array Numbers(Tensor x) => x.detach().to(ScalarType.Float64).contiguous().data<double>().ToNDArray();

    private static void Fill(double[,,,] y, Func<int, int, int, int, double> value)
    {
        for (var m = 0; m < y.GetLength(0); m++)
        {
            for (var c = 0; c < y.GetLength(1); c++)
            {
                for (var i = 0; i < y.GetLength(2); i++)
                {
                    for (var j = 0; j < y.GetLength(3); j++)
                    {
                        y[m, c, i, j] = value(m, c, i, j);
                    }
                }
            }
        }
    }
}
