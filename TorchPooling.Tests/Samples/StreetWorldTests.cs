using PlaceRecognition.World;
using SkiaSharp;

namespace TorchPooling.Tests.Samples;

public class StreetWorldTests
{
    [Fact]
    public void The_same_seed_draws_the_same_bytes_on_any_thread_and_another_seed_other_ones()
    {
        var (first, again, other) = (new StreetWorld(1, WorldSize.Quick), new StreetWorld(1, WorldSize.Quick), new StreetWorld(2, WorldSize.Quick));
        var numbers = Enumerable.Range(0, 24).Select(i => i * first.Views.Count / 24).ToArray();
        var serial = Array.ConvertAll(numbers, i => Draw(first, first.Views[i]));
        Parallel.For(0, numbers.Length, i => Assert.Equal(serial[i], Draw(again, again.Views[numbers[i]])));
        Assert.NotEqual(serial[0], Draw(other, other.Views[0]));
    }

    [Fact]
    public void Splits_have_streets_of_their_own_far_from_each_other()
    {
        var world = new StreetWorld(1, WorldSize.Quick);
        foreach (var split in Enum.GetValues<Split>())
        {
            var own = world.Views.Where(view => view.Split == split).ToList();
            var others = world.Views.Where(view => view.Split != split).ToList();
            Assert.NotEmpty(own);
            Assert.Empty(own.Select(view => view.Street).Intersect(others.Select(view => view.Street)));
            Assert.True(own.Min(view => others.Min(o => Math.Abs(view.East - o.East) + Math.Abs(view.North - o.North))) > 100);
        }
    }

    [Fact]
    public void Every_query_has_a_database_picture_within_10_m()
    {
        var world = new StreetWorld(1, WorldSize.Default);
        var database = world.Views.Where(view => !view.IsQuery).ToLookup(view => view.Street);
        Assert.All(world.Views.Where(view => view.IsQuery), query =>
            Assert.Contains(database[query.Street], d => Math.Sqrt(Math.Pow(d.East - query.East, 2) + Math.Pow(d.North - query.North, 2)) <= 10));
    }

    private static byte[] Draw(StreetWorld world, View view)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(48, 36, SKColorType.Rgba8888, SKAlphaType.Opaque));
        world.Render(view, bitmap);
        return bitmap.Bytes;
    }
}
