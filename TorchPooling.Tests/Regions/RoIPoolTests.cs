using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

public class RoIPoolTests
{
    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = arange(25, dtype: ScalarType.Float32).reshape(1, 1, 5, 5);   // 5·row + column
        var boxes = tensor(new float[,] { { 0, 0, 0, 3, 3 }, { 0, 0.5f, 1.5f, 2.5f, 2.5f }, { 0, 2, 2, 2, 2 }, { 0, 3, 3, 9, 9 } });
        var expected = tensor(new float[,]
        {
            { 6, 8, 16, 18 },
            { 12, 13, 17, 18 },   // halves away from zero: rows 2 to 3, columns 1 to 3, the middle column in both bins
            { 12, 12, 12, 12 },   // one pixel is every bin's
            { 24, 0, 0, 0 },      // bins of 3.5 × 3.5 pixels, of which only the first lies in the map
        });
        Tolerance.AssertClose(expected.reshape(4, 1, 2, 2), new RoIPool(2).call(x, boxes), 0);
    }

    [Theory]
    [InlineData(6, 5, 40)]
    [InlineData(60, 50, 4)]   // few boxes on a large map are read pixel by pixel
    public void It_is_the_formula(int height, int width, int count)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 2, height, width], ScalarType.Float64);
        var boxes = cat([(arange(count, dtype: ScalarType.Float64) % 2).unsqueeze(1), ((Seeded.Normal(2, [count, 4], ScalarType.Float64) * 6) + 4).round(1)], 1);
        Tolerance.AssertClose(RegionFormulas.Pool(x, boxes, 2, 3, 0.5, mean: false), pooling.roi_pool(x, boxes, (2, 3), 0.5), 0);
    }

    [CudaTheory]
    [InlineData(7)]
    [InlineData(5)]
    public void On_CUDA_a_thousand_boxes_have_the_bins_that_they_have_on_the_CPU(int bins)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 3 * bins * bins, 61, 50], ScalarType.Float32);
        var corners = Seeded.Normal(2, [1000, 2], ScalarType.Float32).abs() * 200;
        var sides = arange(1000, dtype: ScalarType.Float32).view(-1, 1) % 500 * tensor(new[] { 1, 0.5f });
        var boxes = cat([(arange(1000, dtype: ScalarType.Float32) % 2).unsqueeze(1), corners, corners + sides], 1);
        var network = new SppNet(nn.AvgPool2d(12), nn.Identity(), stride: 12);
        foreach (var (name, pool) in new (string, Func<Tensor, Tensor, Tensor>)[]
        {
            ("RoIPool", (x, boxes) => pooling.roi_pool(x, boxes, bins, 1 / 16.0)),
            ("RoIAlign, adaptive", (x, boxes) => pooling.roi_align(x, boxes, bins, 1 / 16.0)),
            ("RoIAlign, 3 samples", (x, boxes) => pooling.roi_align(x, boxes, bins, 1 / 16.0, 3)),
            ("PSRoIPool", (x, boxes) => pooling.ps_roi_pool(x, boxes, bins, 1 / 16.0)),
            ("PSRoIAlign", (x, boxes) => pooling.ps_roi_align(x, boxes, bins, 1 / 16.0)),
            ("RoISpatialPyramidPool", (x, boxes) => pooling.roi_spatial_pyramid_pool(x, boxes, [1, 2, bins], 1 / 16.0)),
            ("SppNet", (x, boxes) => network.forward(x, boxes / 16)),
        })
        {
            Tolerance.AssertClose(pool(x, boxes), pool(x.cuda(), boxes.cuda()), Tolerance.OnCuda(ScalarType.Float32), name);
        }
    }

    [Theory]
    [InlineData(-0.5, -1)]
    [InlineData(-1.5, -2)]
    [InlineData(0.49999997, 0)]
    [InlineData(0.5, 1)]
    [InlineData(1.5, 2)]
    [InlineData(2.5, 3)]
    [InlineData(8388609, 8388609)]
    public void Corners_are_rounded_half_away_from_zero(double corner, double pixel)
    {
        using var scope = NewDisposeScope();
        var x = arange(36, dtype: ScalarType.Float32).reshape(1, 1, 6, 6);
        Tensor Box(double from) => tensor(new[,] { { 0, (float)from, (float)from, 4, 4 } });
        Tolerance.AssertClose(pooling.roi_pool(x, Box(pixel), 3), pooling.roi_pool(x, Box(corner), 3), 0);
    }

    [Fact]
    public void The_first_of_tied_maxima_takes_the_gradient_and_an_empty_bin_gives_none()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 3, 3).requires_grad_();
        pooling.roi_pool(x, tensor(new float[,] { { 0, 1, 1, 2, 2 }, { 0, 1, 0, 2, 2 }, { 0, 7, 7, 9, 9 } }), 1).sum().backward();
        Tolerance.AssertClose(tensor(new float[] { 0, 1, 0, 0, 1, 0, 0, 0, 0 }).reshape(1, 1, 3, 3), x.grad!, 0);
    }

    [Fact]
    public void More_pixels_than_one_block_holds_give_the_same()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 1, 70, 70]).requires_grad_();
        var boxes = cat([zeros(1000, 1), (Seeded.Normal(2, [1000, 2]) * 3), 69 + (Seeded.Normal(3, [1000, 2]) * 3)], 1);   // 4.7 million
        var y = pooling.roi_pool(x, boxes, 1);
        y.sum().backward();
        var gradient = x.grad!.clone();
        x.grad!.zero_();
        var parts = boxes.split(200).Select(part => pooling.roi_pool(x, part, 1)).ToArray();
        cat(parts).sum().backward();
        Tolerance.AssertClose(cat(parts), y, 0);
        Tolerance.AssertClose(x.grad!, gradient);
    }

    [Fact]
    public void The_first_of_tied_maxima_takes_the_gradient_of_many_boxes()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 2, 9, 9);
        x[.., .., 3, 6] = 1;
        x[.., .., 4, 2] = 1;   // in the row below, where the windows on the left hold it first
        x[1, 1, 3, 5] = 1;
        var boxes = tensor(new float[,] { { 0, 1, 1, 7, 7 }, { 1, 1, 1, 7, 7 }, { 1, 9, 9, 12, 12 } }).repeat(100, 1);
        var y = pooling.roi_pool(x.requires_grad_(), boxes, 1);
        Tolerance.AssertClose(tensor(new float[] { 1, 1, 0 }).repeat(100).unsqueeze(1).expand(300, 2), y.flatten(1), 0);
        y.sum().backward();
        var gradient = zeros_like(x);
        (gradient[0, .., 3, 6], gradient[1, 0, 3, 6], gradient[1, 1, 3, 5]) = (tensor(100f), tensor(100f), tensor(100f));
        Tolerance.AssertClose(gradient, x.grad!, 0);
    }

    [Fact]
    public void The_pyramid_of_a_box_around_the_map_is_that_of_the_map()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 3, 12, 8]);
        var boxes = tensor(new float[,] { { 0, 0, 0, 7, 11 }, { 1, 0, 0, 7, 11 } });
        Tolerance.AssertClose(pooling.spatial_pyramid_pool2d(x, [4, 1, 2]), new RoISpatialPyramidPool([4, 1, 2]).call(x, boxes), 0);
        Assert.Equal([2, 3 * 21], pooling.roi_spatial_pyramid_pool(x, boxes).shape);
    }

    [Fact]
    public void The_pyramid_is_RoIPool_level_by_level()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 3, 12, 9]);
        var boxes = tensor(new float[,] { { 1, 3, 5, 14, 21 }, { 0, -4, 2, 30, 11 } });
        var expected = cat([.. new long[] { 3, 1 }.Select(n => pooling.roi_pool(x, boxes, n, 0.5).flatten(1))], 1);
        Tolerance.AssertClose(expected, pooling.roi_spatial_pyramid_pool(x, boxes, [3, 1], 0.5), 0);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(0, 100)]   // maxima of windows
    [InlineData(1, 100)]
    [InlineData(2, 100)]
    [InlineData(3, 100)]
    public void NaN_anywhere_in_a_bin_gives_NaN_as_in_max_pooling_and_takes_the_gradient(int place, int count)
    {
        using var scope = NewDisposeScope();
        var x = arange(16, dtype: ScalarType.Float32).reshape(1, 1, 4, 4);
        x[0, 0, place / 2, place % 2] = float.NaN;
        x[0, 0, 1 - (place / 2), 1 - (place % 2)] = float.PositiveInfinity;   // beside it
        x[0, 0, 2.., 2..] = float.NegativeInfinity;
        var box = tensor(new float[] { 0, 0, 0, 3, 3 }).expand(count, 5);
        var expected = new[] { float.NaN, 7, 13, float.NegativeInfinity };
        Assert.Equal(expected, nn.functional.max_pool2d(x, 2).data<float>().ToArray());
        Assert.All(pooling.roi_pool(x, box, 2).unbind(0), y => Assert.Equal(expected, y.data<float>().ToArray()));
        Assert.All(pooling.roi_spatial_pyramid_pool(x, box, [2]).unbind(0), y => Assert.Equal(expected, y.data<float>().ToArray()));

        var y = pooling.roi_pool(x.requires_grad_(), box, 2);
        Assert.All(y.detach().unbind(0), each => Assert.Equal(expected, each.data<float>().ToArray()));
        y.backward([ones_like(y)]);
        var gradient = zeros(4, 4);
        gradient[place / 2, place % 2] = 1;
        (gradient[1, 3], gradient[3, 1], gradient[2, 2]) = (tensor(1f), tensor(1f), tensor(1f));
        Tolerance.AssertClose(gradient * count, x.grad![0, 0], 0);
    }
}
