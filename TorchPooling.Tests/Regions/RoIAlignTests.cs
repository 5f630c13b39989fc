using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

public class RoIAlignTests
{
    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = arange(16, dtype: ScalarType.Float64).reshape(1, 1, 4, 4);   // 4·row + column
        var box = tensor(new[,] { { 0.0, 1, 1, 3, 3 } });

        // Bins of 1 × 1: samples at 1.5 and 2.5, and the map is linear.
        Tolerance.AssertClose(tensor(new[] { 7.5, 8.5, 11.5, 12.5 }).reshape(1, 1, 2, 2), new RoIAlign(2).call(x, box));
        // Moved by half a pixel: samples at 1 and 2, the pixels themselves.
        Tolerance.AssertClose(tensor(new[] { 5.0, 6, 9, 10 }).reshape(1, 1, 2, 2), new RoIAlign(2, aligned: true).call(x, box));
        // The same box in units of which four are a pixel.
        Tolerance.AssertClose(new RoIAlign(2).call(x, box), new RoIAlign(2, 0.25).call(x, tensor(new[,] { { 0.0, 4, 4, 12, 12 } })));
        // A corner outside: of the four samples at −0.5, 0.5 the map is read at 0 and 0.5.
        Assert.Equal(4 * 0.25 + 0.25, new RoIAlign(1, sampling_ratio: 2).call(x, tensor(new[,] { { 0.0, -1, -1, 1, 1 } })).ToDouble(), 1e-12);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(-1, true)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(7, true)]
    public void It_is_the_formula(int ratio, bool aligned)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 2, 6, 5], ScalarType.Float64);
        var boxes = cat([(arange(12, dtype: ScalarType.Float64) % 2).unsqueeze(1), (Seeded.Normal(2, [12, 4], ScalarType.Float64) * 6) + 4], 1);
        Tolerance.AssertClose(RegionFormulas.Align(x, boxes, 2, 3, 0.7, ratio, aligned), pooling.roi_align(x, boxes, (2, 3), 0.7, ratio, aligned));
    }

    [Fact]
    public void A_sample_of_each_pixel_of_the_whole_map_gives_the_mean()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 3, 6, 8], ScalarType.Float64);
        var whole = tensor(new[,] { { 0.0, 0, 0, 8, 6 } });
        Tolerance.AssertClose(nn.functional.adaptive_avg_pool2d(x, [3, 2]), pooling.roi_align(x, whole, (3, 2), aligned: true));
        Tolerance.AssertClose(x, pooling.roi_align(x, whole, (6, 8), sampling_ratio: 1, aligned: true));
    }

    [Fact]
    public void A_box_outside_and_one_without_area_give_zero()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 2, 5, 5).requires_grad_();
        var boxes = tensor(new float[,] { { 0, 20, 20, 30, 30 }, { 0, -9, 0, -4, 5 }, { 0, 2, 2, 2, 2 }, { 0, 4, 4, 1, 1 } });
        foreach (var ratio in new long[] { -1, 2 })
        {
            var y = pooling.roi_align(x, ratio > 0 ? boxes[..2] : boxes, 2, sampling_ratio: ratio, aligned: true);
            Tolerance.AssertClose(zeros_like(y), y, 0);
            y.sum().backward();
            Tolerance.AssertClose(zeros_like(x), x.grad!, 0);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    [InlineData(7)]
    public void A_bin_outside_gives_zero_whatever_stands_at_the_border(int ratio)
    {
        using var scope = NewDisposeScope();
        var boxes = tensor(new float[,] { { 0, 20, 20, 30, 30 }, { 0, -9, 0, -4, 5 }, { 0, 1, -30, 4, -20 }, { 0, 2, 2, 12, 4 } });
        foreach (var value in new[] { float.NaN, float.NegativeInfinity })
        {
            var y = pooling.roi_align(full(1, 2, 5, 5, value), boxes, 2, sampling_ratio: ratio);
            Tolerance.AssertClose(zeros_like(y[..3]), y[..3], 0);
            Assert.Equal([false, true, false, true], y[3, 0].flatten().isfinite().data<bool>().ToArray());   // the right bins begin at column 7
            Tolerance.AssertClose(zeros(2, 2), y[3, .., .., 1], 0);
        }
    }

    [Fact]
    public void Its_gradient_is_spread_by_the_weights_of_the_samples()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 3, 3).requires_grad_();
        pooling.roi_align(x, tensor(new float[,] { { 0, 0.5f, 0.25f, 1.5f, 1.25f } }), 1, sampling_ratio: 1).sum().backward();   // a sample at (0.75, 1)
        Tolerance.AssertClose(tensor(new[] { 0, 0.25f, 0, 0, 0.75f, 0, 0, 0, 0 }).reshape(1, 1, 3, 3), x.grad!);
    }

    [Fact]
    public void Few_samples_and_many_are_computed_alike()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 2, 30, 20], ScalarType.Float64);
        var boxes = tensor(new[,] { { 0, 1.3, 2.1, 4.9, 5.2 }, { 0, -3, -2, 25, 40 } });
        for (var ratio = 1; ratio < 9; ratio++)   // 4 of them as pixels with weights, the others summed up first
        {
            Tolerance.AssertClose(RegionFormulas.Align(x, boxes, 2, 2, 1, ratio, false), pooling.roi_align(x, boxes, 2, sampling_ratio: ratio));
        }
    }

    [Fact]
    public void A_thousand_huge_boxes_read_no_more_than_the_map()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 1, 40, 40]);
        var side = linspace(1e3, 1e9, 1000).unsqueeze(1);
        var y = pooling.roi_align(x, cat([zeros(1000, 1), -side, -side, side, side], 1), 7);
        Assert.True(y.isfinite().all().ToBoolean());
        Tolerance.AssertClose(zeros(1000), y[.., 0, 0, 0], 0);   // the corners of all lie outside
    }

    [Theory]
    [InlineData(4, 32, 150)]   // slices of 64 boxes
    [InlineData(9, 256, 40)]   // of 14
    public void More_samples_than_one_slice_holds_give_the_same(int ratio, int bins, int count)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 2, 9, 8]).requires_grad_();
        var boxes = cat([(arange(count) % 2).unsqueeze(1).to(ScalarType.Float32), (Seeded.Normal(2, [count, 4]) * 3) + 4], 1);
        var y = pooling.roi_align(x, boxes, bins, sampling_ratio: ratio);
        y.square().sum().backward();
        var gradient = x.grad!.clone();
        x.grad!.zero_();
        var parts = boxes.split(1).Select(box => pooling.roi_align(x, box, bins, sampling_ratio: ratio)).ToArray();
        cat(parts).square().sum().backward();
        Tolerance.AssertClose(cat(parts), y, 0);
        Tolerance.AssertClose(x.grad!, gradient, 1e-4);
    }

    [Fact]
    public void More_boxes_than_are_laid_out_at_once_give_the_same_as_channel_by_channel()
    {
        using var scope = NewDisposeScope();
        var whole = Seeded.Normal(1, [2, 400, 12, 10]);
        var boxes = cat([(arange(150) % 2).unsqueeze(1).to(ScalarType.Float32), (Seeded.Normal(2, [150, 4]) * 4) + 5], 1);   // 53 at once
        var direction = Seeded.Normal(3, [150, 400, 7, 7]);
        foreach (var pool in new Func<Tensor, Tensor>[]
        {
            x => pooling.roi_align(x, boxes, 7, sampling_ratio: 2), x => pooling.roi_align(x, boxes, 7), x => pooling.roi_pool(x, boxes, 7),
        })
        {
            var (y, gradient) = Both(whole, direction);
            var (few, fewGradient) = Both(whole[.., ..3], direction[.., ..3]);
            Tolerance.AssertClose(few, y[.., ..3], 1e-6);
            Tolerance.AssertClose(fewGradient, gradient[.., ..3], 1e-5);
            using var none = no_grad();
            Tolerance.AssertClose(y, pool(whole), 0);
            Assert.True(y.is_contiguous());

            (Tensor, Tensor) Both(Tensor map, Tensor way)
            {
                var x = map.clone().requires_grad_();
                var y = pool(x);
                (y * way).sum().backward();
                return (y.detach(), x.grad!);
            }
        }
    }
}
