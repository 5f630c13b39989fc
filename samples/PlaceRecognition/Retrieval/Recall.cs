using PlaceRecognition.Data;
using TorchPooling;
using TorchSharp;
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
        using var scope = NewDisposeScope();
        var count = Math.Min(Deepest, databasePlaces.Count);
        var (_, indices) = NearestNeighbors.Find(queries, database, count, innerProduct: true);   // of unit vectors
        var right = RetrievalMetrics.Right(indices, Positions(queryPlaces), Positions(databasePlaces), Radius);
        var nearest = Array.ConvertAll(indices.cpu().data<long>().ToArray(), number => (int)number).Chunk(count);
        return new([.. nearest], RetrievalMetrics.Recall(right), right.select(1, 0).contiguous().data<bool>().ToArray());
    }

    /// <summary>How many queries have no database picture within the radius: they can never be right.</summary>
    public static int Lost(PlaceSet set)
    {
        using var scope = NewDisposeScope();
        var answerable = RetrievalMetrics.Answerable(Positions(set.Queries), Positions(set.Database), Radius);
        return set.Queries.Count - (int)answerable.count_nonzero().ToInt64();
    }

    private static Tensor Positions(IReadOnlyList<Place> places) =>
        tensor(places.SelectMany(place => new[] { place.East, place.North }).ToArray(), places.Count, 2);
}
