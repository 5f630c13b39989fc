using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class MaxBlurPool2dTests
{
    [Fact]
    public void A_diagonal_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = eye(5, dtype: ScalarType.Float64).reshape(1, 1, 5, 5);   // the maxima are three diagonals of ones in 4×4
        var expected = tensor(new[] { 9, 5, 5, 14.0 }).reshape(1, 1, 2, 2) / 16;
        Tolerance.AssertClose(expected, new MaxBlurPool2d(padding_mode: PaddingModes.Zeros).call(x), 0);
    }

    [Fact]
    public void The_signal_of_the_paper_and_its_shift_by_one()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 0, 0, 1, 1 }).repeat(5).expand(1, 1, 6, 20);
        Assert.Equal([0.5, 1, 0.5, 1], Row(x));
        Assert.Equal([0.75, 0.75, 0.75, 0.75], Row(x.roll(-1, 3)));

        double[] Row(Tensor map) => pooling.max_blur_pool2d(map)[0, 0, 1, 2..6].data<double>().ToArray();
    }

    [Fact]
    public void Without_a_filter_it_is_max_pooling_and_with_one_the_blur_of_the_maxima()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 9, 8);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, 3, 2), pooling.max_blur_pool2d(x, 3, filter_size: 1), 0);
        Tolerance.AssertClose(
            pooling.blur_pool2d(nn.functional.max_pool2d(x, 3, 1), 5, 3), pooling.max_blur_pool2d(x, 3, 3, filter_size: 5), 0);
    }

    [Fact]
    public void It_takes_the_settings_of_MaxPool2d_for_its_maximum_and_gives_a_map_of_the_same_size()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 11, 12) - 5;   // a padding of zeros would be the maximum
        foreach (var (kernel, stride, padding, dilation) in new[] { ((3L, 3L), 2L, (1L, 1L), (1L, 1L)), ((3, 2), 3, (1, 0), (1, 2)), ((4, 5), 1, (2, 1), (2, 1)) })
        {
            long[] k = [kernel.Item1, kernel.Item2], p = [padding.Item1, padding.Item2], d = [dilation.Item1, dilation.Item2];
            var expected = pooling.blur_pool2d(nn.functional.max_pool2d(x, k, [1, 1], p, d), 3, stride);
            Tolerance.AssertClose(expected, new MaxBlurPool2d(kernel, stride, padding, dilation).call(x), 0);
            Tolerance.AssertClose(expected, pooling.max_blur_pool2d(x, kernel, stride, padding, dilation), 0);
            Assert.Equal(nn.functional.max_pool2d(x, k, [stride, stride], p, d).shape, expected.shape);
        }
    }

    [Fact]
    public void The_first_of_equal_pixels_takes_the_gradient()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 2, 2, requires_grad: true);
        pooling.max_blur_pool2d(x, 2, filter_size: 1).sum().backward();
        Assert.Equal([1, 0, 0, 0], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void It_has_no_parameters() => Assert.Empty(new MaxBlurPool2d().state_dict());

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'kernel_size')", () => new MaxBlurPool2d(0));
        Refused<ArgumentOutOfRangeException>("expected 1 to 7 (Parameter 'filter_size')", () => new MaxBlurPool2d(2, filter_size: 8));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'stride')", () => new MaxBlurPool2d(2, -1));
        Refused<ArgumentException>("expected Zeros, Reflect or Replicate, got Constant", () => new MaxBlurPool2d(padding_mode: PaddingModes.Constant));
        Refused<ArgumentOutOfRangeException>("expected a padding of at most half the kernel's 2", () => new MaxBlurPool2d(2, padding: 2));
        Refused<ArgumentException>("expected one number or (height, width), got [1, 2, 3]", () => new MaxBlurPool2d((1, 2, 3)));
        Refused<ArgumentException>("expected a map large enough for a window of 3×3 with padding 0, 0 and dilation 1, 1, got 2×9 (H×W)", () => new MaxBlurPool2d(3).call(rand(1, 1, 2, 9)));
        Refused<ArgumentException>("expected a map of at least 2×2 to reflect 1 of its pixels (Replicate and Zeros take any), got 1×8 (H×W)", () => new MaxBlurPool2d(2).call(rand(1, 1, 2, 9)));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
