using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

/// <summary>The papers' sums as scalar loops in double precision.</summary>
internal static class Formulas
{
    /// <summary>The descriptors of one image of (N, D, …): M arrays of D numbers, of unit length where asked.</summary>
    public static double[][] Descriptors(Tensor x, int image, bool unit)
    {
        var map = x[image].flatten(1).to(ScalarType.Float64);
        return [.. Enumerable.Range(0, (int)map.size(1)).Select(i =>
        {
            var point = map.select(1, i).contiguous().data<double>().ToArray();
            return unit ? Unit(point) : point;
        })];
    }

    public static double[][] Rows(Tensor matrix) =>
        [.. Enumerable.Range(0, (int)matrix.size(0)).Select(k => matrix[k].flatten().to(ScalarType.Float64).contiguous().data<double>().ToArray())];

    /// <summary>exp(wₖᵀx + bₖ) / Σ exp(wₖ′ᵀx + bₖ′).</summary>
    public static double[] Softmax(double[] x, double[][] w, double[]? b)
    {
        var terms = w.Select((row, k) => Math.Exp(row.Zip(x, (u, v) => u * v).Sum() + (b?[k] ?? 0))).ToArray();
        return [.. terms.Select(term => term / terms.Sum())];
    }

    /// <summary>exp(−α‖x − cₖ‖²) / Σ exp(−α‖x − cₖ′‖²).</summary>
    public static double[] SoftmaxOfDistances(double[] x, double[][] c, double alpha)
    {
        var distances = c.Select(center => SquaredDistance(x, center)).ToArray();
        var terms = distances.Select(d => Math.Exp(-alpha * (d - distances.Min()))).ToArray();
        return [.. terms.Select(term => term / terms.Sum())];
    }

    /// <summary>1 for the nearest centre.</summary>
    public static double[] Nearest(double[] x, double[][] c)
    {
        var distances = c.Select(center => SquaredDistance(x, center)).ToArray();
        return [.. distances.Select((_, k) => k == Array.IndexOf(distances, distances.Min()) ? 1.0 : 0)];
    }

    /// <summary>Σᵢ mᵢ·aₖ(xᵢ)·term(xᵢ, k, d) for every k and d.</summary>
    public static double[][] Sum(
        double[][] points, Func<double[], double[]> assign, int clusters, int length, Func<double[], int, int, double> term, double[]? mask = null)
    {
        var sums = Enumerable.Range(0, clusters).Select(_ => new double[length]).ToArray();
        for (var i = 0; i < points.Length; i++)
        {
            var a = assign(points[i]);
            for (var k = 0; k < clusters; k++)
            {
                for (var d = 0; d < length; d++)
                {
                    sums[k][d] += (mask?[i] ?? 1) * a[k] * term(points[i], k, d);
                }
            }
        }

        return sums;
    }

    /// <summary>Each row to unit length, then the whole.</summary>
    public static double[] Intra(double[][] rows) => Unit([.. rows.SelectMany(Unit)]);

    public static double[] Unit(double[] vector)
    {
        var length = Math.Sqrt(vector.Sum(value => value * value));
        return length == 0 ? vector : Array.ConvertAll(vector, value => value / length);
    }

    public static double[] SignedSqrt(double[] vector) => Array.ConvertAll(vector, value => Math.Sign(value) * Math.Sqrt(Math.Abs(value)));

    public static Tensor Batch(Tensor x, Func<int, double[]> image) =>
        stack([.. Enumerable.Range(0, (int)x.size(0)).Select(n => tensor(image(n)))]);

    private static double SquaredDistance(double[] x, double[] y) => x.Zip(y, (u, v) => (u - v) * (u - v)).Sum();
}
