using PlaceRecognition.Data;
using PlaceRecognition.Model;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using PlaceRecognition.World;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

public class PoolingTests
{
    private static readonly ImageSize Size = new(48, 64);

    public static TheoryData<string> Names => [.. Pooling.All.Select(pooling => pooling.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Every_pooling_starts_and_gives_unit_vectors(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var network = new PlaceNetwork(Pooling.Find(name), clusters: 4, Size);
        network.eval();
        var set = World(hard: false)[0];
        var pictures = new Pictures([.. set.Database.Take(20)], Size);
        var options = new TrainingOptions([name], Clusters: 4, Epochs: 1, QueriesPerEpoch: 1, Negatives: 1, LearningRate: 1, Seed: 2);
        var start = ClusterStarts.Initialize(network, pictures, options);
        Assert.Equal(network.StartsClusters, start is not null);
        var y = network.call(pictures.Batch([0, 1, 2]));
        Tolerance.AssertClose(ones(3), y.norm(1), 1e-5);
    }

    [Fact]
    public void A_second_look_orders_the_same_answers_by_their_patches()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        manual_seed(4);
        var network = new PlaceNetwork(Pooling.Find("patchnetvlad"), clusters: 4, Size);
        network.eval();
        var places = World(hard: false)[0];
        PlaceSet same = new("same", [.. places.Database.Take(40)], [.. places.Database.Take(40)]);
        var set = new LoadedSet(same, new(same.Database, Size), new(same.Queries, Size));
        var first = set.Evaluate(network.call);
        var (second, milliseconds) = PatchReranking.Of(network, set, first, default);
        for (var q = 0; q < 40; q++)
        {
            Assert.Equal(first.Nearest[q].Order(), second.Nearest[q].Order());
            Assert.Equal(q, second.Nearest[q][0]);   // no picture matches another better than itself
        }

        Assert.True(milliseconds > 0);
        Assert.NotEqual(first.Nearest.SelectMany(answers => answers), second.Nearest.SelectMany(answers => answers));
        Assert.True(PatchReranking.Dimensions(network, set) > 40 * 4 * 64);   // 40 patches of 2×2 on a map of 6×8, and those of 5×5
    }

    [Fact]
    public void Three_of_four_hard_queries_show_more_sky_or_road_or_are_blurred()
    {
        var (plain, hard) = (World(hard: false)[0], World(hard: true)[0]);
        Assert.All(plain.Queries, query => Assert.Null(query.Kind));
        Assert.Equal(["as drawn", "much sky", "much road", "blurred"], hard.Queries.Take(4).Select(query => query.Kind));
        Assert.Equal(plain.Database[3].Picture(32, 24).Bytes, hard.Database[3].Picture(32, 24).Bytes);
        Assert.Equal(plain.Queries[0].Picture(32, 24).Bytes, hard.Queries[0].Picture(32, 24).Bytes);

        // The camera turns up by 22° of a view of about 60°: what stood in the middle row stands a third of the picture lower.
        var (level, up, down) = (plain.Queries[1], hard.Queries[1], hard.Queries[2]);
        Assert.True(Likeness(level, up, shift: 26) > Likeness(level, up, shift: 0) + 0.2);
        Assert.True(Likeness(plain.Queries[2], down, shift: -26) > Likeness(plain.Queries[2], down, shift: 0) + 0.2);
        Assert.True(Roughness(hard.Queries[3]) < 0.5 * Roughness(plain.Queries[3]));
    }

    private static PlaceSet[] World(bool hard) => StreetData.Create(3, WorldSize.Quick with { HardQueries = hard }, ["val"]);

    /// <summary>Correlation of two pictures, the second one's rows so many lower.</summary>
    private static double Likeness(Place one, Place other, int shift)
    {
        var (a, b) = (Grey(one), Grey(other));
        var (from, to) = (Math.Max(0, -shift), Math.Min(72, 72 - shift));
        var x = a[(from * 96)..(to * 96)];
        var y = b[((from + shift) * 96)..((to + shift) * 96)];
        var (mx, my) = (x.Average(), y.Average());
        return x.Zip(y, (u, v) => (u - mx) * (v - my)).Sum()
            / Math.Sqrt(x.Sum(u => (u - mx) * (u - mx)) * y.Sum(v => (v - my) * (v - my)));
    }

    /// <summary>Mean squared difference of pixels two apart in a row.</summary>
    private static double Roughness(Place place)
    {
        var grey = Grey(place);
        return Enumerable.Range(0, grey.Length - 2).Where(i => i % 96 < 94).Average(i => Math.Pow(grey[i + 2] - grey[i], 2));
    }

    private static double[] Grey(Place place)
    {
        using var bitmap = place.Picture(96, 72);
        return [.. bitmap.Pixels.Select(pixel => (pixel.Red + pixel.Green + pixel.Blue) / 3.0)];
    }
}
