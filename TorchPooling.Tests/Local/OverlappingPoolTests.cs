using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class OverlappingPoolTests
{
    [Fact]
    public void Values_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = arange(25, dtype: ScalarType.Float64).reshape(1, 1, 5, 5);
        Tolerance.AssertClose(tensor(new double[] { 12, 14, 22, 24 }).reshape(1, 1, 2, 2), new OverlappingMaxPool2d().call(x));
        Tolerance.AssertClose(tensor(new double[] { 6, 8, 16, 18 }).reshape(1, 1, 2, 2), new OverlappingAvgPool2d().call(x));
    }

    [Fact]
    public void The_pixels_that_windows_share_take_the_gradient_of_each()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 3, 5);
        x[0, 0, 1, 2] = 1;   // in both windows
        x.requires_grad_();
        new OverlappingMaxPool2d().call(x).sum().backward();
        Assert.Equal(2, x.grad![0, 0, 1, 2].ToDouble());
        Assert.Equal(2, x.grad.sum().ToDouble());
        x.grad.zero_();
        new OverlappingAvgPool2d().call(x).sum().backward();
        Assert.Equal(2 / 9.0, x.grad[0, 0, 1, 2].ToDouble(), 1e-6);
        Assert.Equal(1 / 9.0, x.grad[0, 0, 1, 1].ToDouble(), 1e-6);
    }

    [Fact]
    public void Padding_is_no_maximum_and_does_not_count_in_the_average()
    {
        using var scope = NewDisposeScope();
        var x = -1 - rand(2, 3, 7, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(
            Windows.Pool(x, (3, 2), (2, 1), (1, 1), (1, 2), true, values => values.Max()),
            pooling.overlapping_max_pool2d(x, (3, 2), (2, 1), (1, 1), (1, 2), true));
        Tolerance.AssertClose(
            Windows.Pool(x, (3, 2), (2, 1), (1, 1), (1, 1), true, values => values.Average()),
            pooling.overlapping_avg_pool2d(x, (3, 2), (2, 1), (1, 1), true));
        Tolerance.AssertClose(full_like(pooling.overlapping_avg_pool2d(x, padding: 1), 3), pooling.overlapping_avg_pool2d(ones_like(x) * 3, padding: 1));
    }

    [Fact]
    public void NaN_stays_NaN()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 1, 5, 5);
        x[0, 0, 0, 0] = float.NaN;
        foreach (var y in new[] { new OverlappingMaxPool2d().call(x), new OverlappingAvgPool2d().call(x) })
        {
            Assert.Equal([true, false, false, false], y.isnan().flatten().data<bool>().ToArray());
        }
    }

    [Fact]
    public void A_stride_that_is_not_smaller_than_the_kernel_is_refused_on_either_axis()
    {
        Refused("expected windows that overlap, a stride smaller than the kernel's 2 on the axis H", 2, 2);
        Refused("expected windows that overlap, a stride smaller than the kernel's 2 on the axis H", 2, null);
        Refused("expected windows that overlap, a stride smaller than the kernel's 3 on the axis W", 3, (2, 3));
        Refused("expected windows that overlap, a stride smaller than the kernel's 1 on the axis H", (1, 3), (1, 2));
        Refused("expected 1 to 2147483647", 3, 0);

        static void Refused(string message, Size kernel, Size? stride)
        {
            using var scope = NewDisposeScope();
            Func<object>[] ways =
            [
                () => new OverlappingMaxPool2d(kernel, stride), () => new OverlappingAvgPool2d(kernel, stride),
                () => pooling.overlapping_max_pool2d(rand(1, 1, 4, 4), kernel, stride), () => pooling.overlapping_avg_pool2d(rand(1, 1, 4, 4), kernel, stride),
            ];
            Assert.All(ways, way => Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>("stride", way).Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_map_too_small_for_a_window_is_refused_before_libtorch_sees_it()
    {
        using var scope = NewDisposeScope();
        const string message = "expected a map large enough for a window of 3×3 with padding 0, 0 and dilation 1, 1, got 2×9 (H×W)";
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new OverlappingMaxPool2d().call(rand(1, 1, 2, 9))).Message, StringComparison.Ordinal);
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new OverlappingAvgPool2d().call(rand(1, 1, 2, 9))).Message, StringComparison.Ordinal);

        // Padding makes room for this window, but none of its pixels would lie in the map.
        Assert.Throws<ArgumentException>(() => pooling.overlapping_max_pool2d(rand(1, 1, 3, 3), 2, 1, 1, 4));
    }
}
