using PlaceRecognition.Data;
using TorchPooling;
using TorchSharp;
using static TorchSharp.torch;

namespace PlaceRecognition.Retrieval;

/// <summary>Recall@N: the share of queries with at least one of their N nearest descriptors taken within 25 m.</summary>
internal sealed class Recall
{
    public const double Radius = 25;

    /// <summary>Answers to a query, where the database has so many.</summary>
    public const int Deepest = 25;

    private readonly double[] curve;

    private Recall(int[][] nearest, double[] curve, bool[] firstRight, double[] firstDistance)
    {
        Nearest = nearest;
        FirstRight = firstRight;
        FirstDistance = firstDistance;
        this.curve = curve;
    }

    /// <summary>For each query the numbers of its nearest database pictures, nearest first.</summary>
    public int[][] Nearest { get; }

    /// <summary>Recall@1, Recall@2, …</summary>
    public IReadOnlyList<double> Curve => curve;

    /// <summary>Of each query, whether its first answer is right.</summary>
    public bool[] FirstRight { get; }

    /// <summary>Of each query, how far its first answer is in the order of answers: smaller is surer.</summary>
    public double[] FirstDistance { get; }

    public double At(int n) => At(curve, n);

    /// <summary>Recall@n of a curve that starts at n = 1; beyond its end that of the whole database.</summary>
    public static double At(IReadOnlyList<double> curve, int n) => curve[Math.Min(n, curve.Count) - 1];

    public static Recall Of(Tensor queries, Tensor database, IReadOnlyList<Place> queryPlaces, IReadOnlyList<Place> databasePlaces)
    {
        using var scope = NewDisposeScope();
        var count = Math.Min(Deepest, databasePlaces.Count);
        var (products, indices) = NearestNeighbors.Find(queries, database, count, innerProduct: true);   // of unit vectors
        return OfAnswers(indices, -products.select(1, 0), queryPlaces, databasePlaces);
    }

    /// <param name="indices">Answers (Q, N), best first.</param>
    /// <param name="distances">Of the first ones (Q), smaller is surer.</param>
    public static Recall OfAnswers(Tensor indices, Tensor distances, IReadOnlyList<Place> queryPlaces, IReadOnlyList<Place> databasePlaces)
    {
        using var scope = NewDisposeScope();
        var right = RetrievalMetrics.Right(indices, Positions(queryPlaces), Positions(databasePlaces), Radius);
        var nearest = Array.ConvertAll(indices.cpu().data<long>().ToArray(), number => (int)number).Chunk((int)indices.size(1));
        return new(
            [.. nearest], RetrievalMetrics.Recall(right), right.select(1, 0).contiguous().data<bool>().ToArray(),
            distances.cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray());
    }

    /// <summary>Precision over recall of first answers given only where they are near enough, and the average precision.</summary>
    public static (double[] Precision, double[] Recall, double Average) PrecisionRecall(double[] firstDistance, bool[] firstRight, PlaceSet set)
    {
        using var scope = NewDisposeScope();
        var (_, precision, recall, average) = RetrievalMetrics.PrecisionRecall(tensor(firstDistance), tensor(firstRight), Answerable(set));
        return (precision, recall, average);
    }

    /// <summary>Which queries have a database picture within the radius, bool (Q): the others can never be right.</summary>
    public static Tensor Answerable(PlaceSet set) =>
        RetrievalMetrics.Answerable(Positions(set.Queries), Positions(set.Database), Radius);

    /// <summary>How many cannot.</summary>
    public static int Lost(PlaceSet set)
    {
        using var answerable = Answerable(set);
        return set.Queries.Count - (int)answerable.count_nonzero().ToInt64();
    }

    public static (double East, double North)[] Positions(IReadOnlyList<Place> places) => [.. places.Select(place => (place.East, place.North))];
}
