using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

public class MultiScaleRoIAlignTests
{
    [Theory]
    [InlineData(224, 0.0625)]
    [InlineData(223, 0.125)]
    [InlineData(447, 0.0625)]
    [InlineData(448, 0.03125)]
    [InlineData(1e6, 0.03125)]
    [InlineData(56, 0.25)]
    [InlineData(3, 0.25)]
    [InlineData(0, 0.25)]
    public void A_box_is_read_from_the_level_of_its_size(double side, double scale)
    {
        using var scope = NewDisposeScope();
        double[] scales = [0.25, 0.125, 0.0625, 0.03125];
        Tensor[] maps = [.. scales.Select(s => full(1, 1, (long)(512 * s), (long)(512 * s), (float)s))];   // a map holds its scale
        var (from, to) = ((float)(256 - (side / 2)), (float)(256 + (side / 2)));   // around the middle of the image
        Assert.Equal(scale, new MultiScaleRoIAlign(1, scales, 1).call(maps, tensor(new[,] { { 0, from, from, to, to } })).ToDouble());
    }

    [Fact]
    public void Each_box_is_RoIAlign_on_its_level_in_the_order_of_the_boxes()
    {
        using var scope = NewDisposeScope();
        Tensor[] maps = [Seeded.Normal(1, [2, 3, 16, 24]), Seeded.Normal(2, [2, 3, 8, 12])];
        var boxes = tensor(new float[,] { { 1, 0, 0, 20, 20 }, { 0, 3, 4, 7, 8 }, { 1, 5, 5, 6, 9 }, { 0, 1, 1, 30, 15 } });
        var y = pooling.multi_scale_roi_align(maps, boxes, 2, [1, 0.5], 2, canonical_scale: 8, canonical_level: 1);
        var (fine, coarse) = (pooling.roi_align(maps[0], boxes, 2, 1, 2), pooling.roi_align(maps[1], boxes, 2, 0.5, 2));
        Tolerance.AssertClose(stack([coarse[0], fine[1], fine[2], coarse[3]]), y, 0);
    }

    [Fact]
    public void It_leaves_as_TorchScript_with_its_list_of_maps()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Tensor[] maps = [rand(2, 3, 8, 12), rand(2, 3, 4, 6)];
        var boxes = tensor(new float[,] { { 1, 0, 0, 8, 7 }, { 0, 3, 4, 4, 5 } });
        var module = new MultiScaleRoIAlign(2, [1, 0.5], canonical_scale: 4, canonical_level: 1);
        torchscript.save(module, folder.File("m.pt"), maps, boxes);
        using var script = jit.load<Tensor[], Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(module.call(maps, boxes), script.call(maps, boxes), 0);

        Refuses("expected one map for each of spatial_scales", maps[..1], boxes);
        Refuses("expected maps (N, C, H, W) of one N, C and dtype", [maps[0], rand(1, 3, 4, 6)], boxes);
        Refuses("expected maps (N, C, H, W) of one N, C and dtype", [maps[0], rand(2, 2, 4, 6)], boxes);
        Refuses("expected maps (N, C, H, W) of one N, C and dtype", [maps[0], rand(2, 3, 4)], boxes);
        Refuses("expected maps (N, C, H, W) of one N, C and dtype", [maps[0], maps[1].to(ScalarType.Float64)], boxes);
        Refuses("expected boxes of the map's dtype", maps, boxes.to(ScalarType.Float64));

        void Refuses(string message, Tensor[] levels, Tensor rows)
        {
            Assert.ThrowsAny<ArgumentException>(() => module.call(levels, rows));
            Assert.Contains(message, Assert.ThrowsAny<Exception>(() => script.call(levels, rows)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Maps_and_scales_that_do_not_fit_are_refused()
    {
        using var scope = NewDisposeScope();
        var (x, boxes) = (rand(1, 2, 8, 8), zeros(1, 5));
        Refused("expected powers of two, each half of the one before it, got [0.5, 0.3]", () => new MultiScaleRoIAlign(2, [0.5, 0.3]));
        Refused("expected powers of two, each half of the one before it, got [0.3, 0.15]", () => new MultiScaleRoIAlign(2, [0.3, 0.15]));
        Refused("expected powers of two, each half of the one before it, got []", () => new MultiScaleRoIAlign(2, []));
        Refused("expected a positive number that float32 holds", () => new MultiScaleRoIAlign(2, [double.NaN]));
        Refused("expected a positive number that float32 holds", () => new MultiScaleRoIAlign(2, [1], canonical_scale: 0));
        Refused("expected 2 maps, one for each scale, got 1", () => new MultiScaleRoIAlign(2, [1, 0.5]).call([x], boxes));
        Refused("expected maps of one N and C, got (1, 2, 8, 8) and (1, 3, 4, 4)", () => new MultiScaleRoIAlign(2, [1, 0.5]).call([x, rand(1, 3, 4, 4)], boxes));
        Refused("expected Float32 on cpu, got Float64 on cpu", () => new MultiScaleRoIAlign(2, [1, 0.5]).call([x, rand(1, 2, 4, 4, dtype: ScalarType.Float64)], boxes));
        Refused("Value cannot be null", () => new MultiScaleRoIAlign(2, [1, 0.5]).call([x, null!], boxes));
        Assert.Equal([1, 2, 2, 2], new MultiScaleRoIAlign(2, [4], canonical_level: long.MaxValue).call([x], boxes).shape);
        Assert.Equal([1, 2, 2, 2], new MultiScaleRoIAlign(2, [4], canonical_level: long.MinValue).call([x], boxes).shape);

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
