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
        Tolerance.AssertClose(nn.functional.max_pool2d(x, 3, 2), pooling.max_blur_pool2d(x, 3, 1), 0);
        Tolerance.AssertClose(
            pooling.blur_pool2d(nn.functional.max_pool2d(x, 3, 1), 5, 3), pooling.max_blur_pool2d(x, 3, 5, 3), 0);
    }

    [Fact]
    public void The_first_of_equal_pixels_takes_the_gradient()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 2, 2, requires_grad: true);
        pooling.max_blur_pool2d(x, 2, 1).sum().backward();
        Assert.Equal([1, 0, 0, 0], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void It_has_no_parameters() => Assert.Empty(new MaxBlurPool2d().state_dict());

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'kernel_size')", () => new MaxBlurPool2d(0));
        Refused<ArgumentOutOfRangeException>("expected 1 to 7 (Parameter 'filter_size')", () => new MaxBlurPool2d(2, 8));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'stride')", () => new MaxBlurPool2d(2, 3, -1));
        Refused<ArgumentException>("expected Zeros, Reflect or Replicate, got Constant", () => new MaxBlurPool2d(2, 3, 2, PaddingModes.Constant));
        Refused<ArgumentException>("expected a map large enough for a window of 3×3 with padding 0, 0 and dilation 1, 1, got 2×9 (H×W)", () => new MaxBlurPool2d(3).call(rand(1, 1, 2, 9)));
        Refused<ArgumentException>("expected a map of at least 2×2 to reflect 1 of its pixels (Replicate and Zeros take any), got 1×8 (H×W)", () => new MaxBlurPool2d(2).call(rand(1, 1, 2, 9)));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
