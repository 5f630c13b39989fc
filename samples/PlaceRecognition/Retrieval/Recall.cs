using PlaceRecognition.Data;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>Recall@N: the share of queries with at least one of their N nearest descriptors taken within 25 m.</summary>
internal sealed class Recall
{
    public const double Radius = 25;
    private const int Deepest = 25;

    private readonly double[] curve;

    private Recall(int[][] nearest, double[] curve, bool[] firstRight)
    {
        Nearest = nearest;
        FirstRight = firstRight;
        this.curve = curve;
    }

    /// <summary>For each query the numbers of its nearest database pictures, nearest first.</summary>
    public int[][] Nearest { get; }

    /// <summary>Recall@1, Recall@2, …</summary>
    public IReadOnlyList<double> Curve => curve;

    /// <summary>Of each query, whether its first answer is right.</summary>
    public bool[] FirstRight { get; }

    public double At(int n) => At(curve, n);

    /// <summary>Recall@n of a curve that starts at n = 1; beyond its end that of the whole database.</summary>
    public static double At(IReadOnlyList<double> curve, int n) => curve[Math.Min(n, curve.Count) - 1];

    public static Recall Of(Tensor queries, Tensor database, IReadOnlyList<Place> queryPlaces, IReadOnlyList<Place> databasePlaces)
    {
        var nearest = NearestOf(queries, database, Math.Min(Deepest, databasePlaces.Count));
        var hits = new int[nearest[0].Length];
        var firstRight = new bool[nearest.Length];
        for (var q = 0; q < nearest.Length; q++)
        {
            var first = Array.FindIndex(nearest[q], d => queryPlaces[q].DistanceTo(databasePlaces[d]) <= Radius);
            firstRight[q] = first == 0;
            for (var n = first; n >= 0 && n < hits.Length; n++)
            {
                hits[n]++;
            }
        }

        return new(nearest, Array.ConvertAll(hits, hit => (double)hit / nearest.Length), firstRight);
    }

    /// <summary>The <paramref name="count"/> nearest of unit vectors: their largest scalar products.</summary>
    public static int[][] NearestOf(Tensor queries, Tensor database, int count)
    {
        using var scope = NewDisposeScope();
        var (_, indices) = queries.matmul(database.t()).topk(count, dim: 1);
        var flat = indices.cpu().data<long>().ToArray();
        return [.. Enumerable.Range(0, (int)queries.size(0)).Select(q => Array.ConvertAll(flat[(q * count)..((q + 1) * count)], i => (int)i))];
    }
}
