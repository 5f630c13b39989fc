using Experiments.Data;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

public class DrawnShapesTests
{
    [Fact]
    public void A_seed_tells_the_pictures_whoever_draws_them()
    {
        using var scope = NewDisposeScope();
        var (all, again, part, other) = (DrawnShapes.Draw(20, 28, 5), DrawnShapes.Draw(20, 28, 5), DrawnShapes.Draw(8, 28, 5, first: 12), DrawnShapes.Draw(20, 28, 6));
        Assert.True(all.Images.equal(again.Images).all().item<bool>() && all.Labels.equal(again.Labels).all().item<bool>());
        Assert.True(all.Images.narrow(0, 12, 8).equal(part.Images).all().item<bool>() && all.Labels.narrow(0, 12, 8).equal(part.Labels).all().item<bool>());
        for (var i = 0; i < 20; i++)
        {
            Assert.True((all.Images[i] - other.Images[i]).abs().mean().item<float>() > 0.05, $"picture {i} is the same for another seed");
        }

        Assert.Equal([20, 1, 28, 28], all.Images.shape);
        Assert.True(all.Images.min().item<float>() >= 0 && all.Images.max().item<float>() <= 1);
    }

    [Fact]
    public void A_scene_is_the_same_in_every_size()
    {
        using var scope = NewDisposeScope();
        const int Count = 60;
        var (small, large) = (DrawnShapes.Draw(Count, 32, 3), DrawnShapes.Draw(Count, 64, 3));
        Assert.Equal(small.Labels.data<long>(), large.Labels.data<long>());
        var averaged = nn.functional.avg_pool2d(large.Images, 2).view(Count, -1);
        var distances = cdist(averaged, small.Images.view(Count, -1)) / 32;   // root of the mean square, over the pixels
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (long)i), distances.argmin(1).data<long>());

        // Noise has a deviation of 0.08, half of it where four pixels are averaged: 0.09 of both, and a little of the edges.
        Assert.InRange(distances.diagonal().max().item<float>(), 0.07, 0.115);
        Assert.InRange((averaged - small.Images.view(Count, -1)).mean().item<float>(), -0.003, 0.003);
    }

    [Fact]
    public void Every_class_comes_as_often()
    {
        using var scope = NewDisposeScope();
        var counts = DrawnShapes.Draw(2000, 8, 1).Labels.bincount(null).data<long>();
        Assert.Equal(DrawnShapes.Classes.Count, (int)counts.Count);
        Assert.All(counts, count => Assert.InRange(count, 140, 260));   // 200 ± 4.5 deviations of 13.4
    }

    [Fact]
    public void The_boxes_of_a_scene_hold_shapes_of_their_class()
    {
        using var scope = NewDisposeScope();
        var sums = zeros(DrawnShapes.Classes.Count, Side, Side);
        for (var seed = 0; seed < 40; seed++)
        {
            var (image, objects) = DrawnShapes.Scene(160, 240, 48, 10, seed);
            Assert.Equal([1, 1, 160, 240], image.shape);
            var away = (image - image.median()).abs();
            foreach (var (label, left, top, right, bottom) in objects)
            {
                Assert.True(left >= 0 && top >= 0 && right <= 240 && bottom <= 160, $"{left:0.0},{top:0.0},{right:0.0},{bottom:0.0} lies outside");
                Assert.Equal(right - left, bottom - top, 0.001);
                var inside = away.slice(2, (long)top, (long)Math.Ceiling(bottom), 1).slice(3, (long)left, (long)Math.Ceiling(right), 1);
                sums[label] += nn.functional.adaptive_avg_pool2d(inside, [Side, Side])[0, 0];
            }
        }

        // The mean of what differs from the ground, in each class, is likest to the shape of the class, drawn here by its formula.
        (int Label, Func<double, double, bool> Inside)[] shapes =
        [
            (0, (x, y) => Math.Sqrt((x * x) + (y * y)) < 0.38),
            (1, (x, y) => Math.Abs(Math.Sqrt((x * x) + (y * y)) - 0.38) < 0.065),
            (2, (x, y) => Math.Abs(x) < 0.3 && Math.Abs(y) < 0.3),
            (3, (x, y) => y < 0.3 && y > -0.38 + (2 * Math.Abs(x) * 0.68 / 0.76)),
            (4, (x, y) => Math.Min(Math.Abs(x), Math.Abs(y)) < 0.065 && Math.Max(Math.Abs(x), Math.Abs(y)) < 0.42),
        ];
        var masks = stack([.. shapes.Select(shape => Standard(Mask(shape.Inside)))]);
        foreach (var (label, _) in shapes)
        {
            var likeness = masks.mv(Standard(sums[label].flatten())).data<float>().ToArray();
            Assert.Equal(label, Array.IndexOf(likeness, likeness.Max()));
            Assert.True(likeness.Max() > 0.7, $"{DrawnShapes.Classes[label]}: {likeness.Max():0.00}");
        }

        // The glyphs' means differ from one another.
        for (var one = 5; one < DrawnShapes.Classes.Count; one++)
        {
            for (var two = 0; two < one; two++)
            {
                var likeness = Standard(sums[one].flatten()).dot(Standard(sums[two].flatten())).item<float>();
                Assert.True(likeness < 0.95, $"{DrawnShapes.Classes[one]} and {DrawnShapes.Classes[two]}: {likeness:0.00}");
            }
        }
    }

    [Fact]
    public void Objects_of_a_scene_leave_each_other_room()
    {
        var (image, objects) = DrawnShapes.Scene(128, 128, 40, 100, seed: 2);
        image.Dispose();
        Assert.InRange(objects.Count, 4, 30);   // no more than find room
        foreach (var (one, two) in objects.SelectMany((one, i) => objects.Skip(i + 1).Select(two => (one, two))))
        {
            Assert.True(one.Right <= two.Left || two.Right <= one.Left || one.Bottom <= two.Top || two.Bottom <= one.Top, $"{one} and {two} overlap");
        }
    }

    [Fact]
    public void Ground_alone_has_no_object_and_a_seed()
    {
        using var scope = NewDisposeScope();
        var (ground, again, other) = (DrawnShapes.Ground(40, 60, 20, 1), DrawnShapes.Ground(40, 60, 20, 1), DrawnShapes.Ground(40, 60, 20, 2));
        Assert.Equal([1, 1, 40, 60], ground.shape);
        Assert.True(ground.equal(again).all().item<bool>());
        Assert.True((ground - other).abs().mean().item<float>() > 0.03);
    }

    private const int Side = 24;

    private static Tensor Mask(Func<double, double, bool> inside) => tensor(
        [.. Enumerable.Range(0, Side * Side).Select(i => inside((((i % Side) + 0.5) / Side) - 0.5, (((i / Side) + 0.5) / Side) - 0.5) ? 1f : 0f)]);

    /// <summary>Without its mean, of length 1: the product of two is their correlation.</summary>
    private static Tensor Standard(Tensor x) => (x - x.mean()) / (x - x.mean()).norm();
}
