using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

public class PositionSensitiveTests
{
    [Fact]
    public void Every_bin_reads_the_channel_of_its_place()
    {
        using var scope = NewDisposeScope();
        var x = arange(12, dtype: ScalarType.Float32).reshape(1, 12, 1, 1).expand(1, 12, 5, 5);   // channel k holds k
        var boxes = tensor(new float[,] { { 0, 0, 0, 4, 4 } });
        var expected = arange(12, dtype: ScalarType.Float32).reshape(1, 2, 3, 2);   // (c·3 + i)·2 + j
        Tolerance.AssertClose(expected, new PSRoIPool((3, 2)).call(x, boxes), 0);
        Tolerance.AssertClose(expected, new PSRoIAlign((3, 2)).call(x, boxes));
        Tolerance.AssertClose(expected, new PSRoIAlign((3, 2), sampling_ratio: 2).call(x, boxes));
    }

    [Fact]
    public void They_are_the_formulas()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 12, 6, 5], ScalarType.Float64);
        var boxes = cat([(arange(40, dtype: ScalarType.Float64) % 2).unsqueeze(1), ((Seeded.Normal(2, [40, 4], ScalarType.Float64) * 6) + 4).round(1)], 1);
        Tolerance.AssertClose(RegionFormulas.Pool(x, boxes, 3, 2, 0.5, mean: true), pooling.ps_roi_pool(x, boxes, (3, 2), 0.5));
        foreach (var ratio in new[] { -1, 2, 6 })
        {
            Tolerance.AssertClose(RegionFormulas.Align(x, boxes, 3, 2, 0.5, ratio, true, 6), pooling.ps_roi_align(x, boxes, (3, 2), 0.5, ratio));
        }
    }

    [Fact]
    public void More_pixels_than_one_block_holds_give_the_same()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 1, 70, 70]).requires_grad_();
        var boxes = cat([zeros(1000, 1), (Seeded.Normal(2, [1000, 2]) * 3), 69 + (Seeded.Normal(3, [1000, 2]) * 3)], 1);   // 4.6 million
        var y = pooling.ps_roi_pool(x, boxes, 1);
        y.sum().backward();
        var gradient = x.grad!.clone();
        x.grad!.zero_();
        var parts = boxes.split(200).Select(part => pooling.ps_roi_pool(x, part, 1)).ToArray();
        cat(parts).sum().backward();
        Tolerance.AssertClose(cat(parts), y, 0);
        Tolerance.AssertClose(x.grad!, gradient);
    }

    [Fact]
    public void One_bin_is_RoIAlign()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 3, 6, 5]);
        var boxes = tensor(new[,] { { 0, 0.3f, 1.2f, 4.4f, 3.9f } });
        Tolerance.AssertClose(pooling.roi_align(x, boxes, 1, aligned: true), pooling.ps_roi_align(x, boxes, 1), 0);
    }

    [Fact]
    public void The_last_row_and_column_belong_to_no_bin_of_PSRoIPool_in_its_gradient_too()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 3, 3).requires_grad_();
        pooling.ps_roi_pool(x, tensor(new float[,] { { 0, 0, 0, 3, 3 } }), 1).sum().backward();
        Tolerance.AssertClose(tensor(new[] { 0.25f, 0.25f, 0, 0.25f, 0.25f, 0, 0, 0, 0 }).reshape(1, 1, 3, 3), x.grad!);
    }

    [Fact]
    public void A_box_without_area_gives_zero_in_PSRoIAlign_and_no_NaN()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 4, 5, 5).requires_grad_();
        var y = pooling.ps_roi_align(x, tensor(new float[,] { { 0, 2, 1, 2, 4 }, { 0, 4, 4, 1, 1 } }), 2);
        y.sum().backward();
        Tolerance.AssertClose(zeros_like(y), y, 0);
        Tolerance.AssertClose(zeros_like(x), x.grad!, 0);
    }
}
