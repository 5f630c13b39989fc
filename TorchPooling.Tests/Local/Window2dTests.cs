using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

/// <summary>The windows against those of libtorch's own pools.</summary>
public class Window2dTests
{
    [Fact]
    public void Their_maximum_is_max_pool2d_s_for_every_setting()
    {
        var tried = 0;
        var settings =
            from size in new[] { (H: 1L, W: 1L), (5, 4), (7, 9), (12, 11) }
            from kernel in new long[] { 1, 2, 3, 5 }
            from stride in new long[] { 1, 2, 4 }
            from padding in new long[] { 0, 1, 2 }
            from dilation in new long[] { 1, 2, 3 }
            from ceil in new[] { false, true }
            let least = Math.Min(size.H, size.W)
            where padding <= kernel / 2 && least + (2 * padding) > dilation * (kernel - 1) && (padding == 0 || least >= dilation)
            select (size, kernel, stride, padding, dilation, ceil);
        foreach (var (size, kernel, stride, padding, dilation, ceil) in settings)
        {
            using var scope = NewDisposeScope();
            var x = randn(2, 3, size.H, size.W);
            var window = new Window2d(kernel, stride, padding, dilation, ceil);
            var expected = nn.functional.max_pool2d(x, kernel, stride, padding, dilation, ceil);
            Tolerance.AssertClose(expected, window.Of(x, double.NegativeInfinity).amax([0]), 0, $"{size} kernel {kernel} stride {stride} padding {padding} dilation {dilation} {ceil}");
            Assert.True((window.Valid(x).sum(dim: 0) > 0).all().ToBoolean());
            if (dilation == 1)   // as a GPU takes them
            {
                Tolerance.AssertClose(window.Of(x, 7), window.Unfolded(x, 7), 0);
            }

            tried++;
        }

        Assert.True(tried > 150, $"{tried} settings");
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void Their_average_leaves_padding_out(long dilation, bool ceil)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 7, dtype: ScalarType.Float64);
        var window = new Window2d((3, 2), (2, 3), (1, 1), dilation, ceil);
        var expected = Windows.Pool(x, (3, 2), (2, 3), (1, 1), ((int)dilation, (int)dilation), ceil, values => values.Average());
        Tolerance.AssertClose(expected, window.Average(x));
    }

    [Theory]
    [InlineData(1, 3, false)]
    [InlineData(2, 3, true)]
    [InlineData(1, 20, true)]
    [InlineData(2, 20, false)]
    public void Their_weighted_sum_is_the_formula_in_both_layouts_and_dtypes(long dilation, long channels, bool ceil)
    {
        using var scope = NewDisposeScope();
        var weight = randn(1, 1, 3, 2, dtype: ScalarType.Float64);
        var numbers = weight.flatten().data<double>().ToArray();
        var window = new Window2d((3, 2), (2, 3), (1, 1), dilation, ceil);
        foreach (var dtype in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            var x = randn(2, channels, 8, 7, dtype: dtype).requires_grad_();
            var last = x.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).requires_grad_();
            var expected = Windows.Pool(x, (3, 2), (2, 3), (1, 1), (dilation, dilation), ceil, (values, places) =>
                values.Zip(places, (value, place) => value * numbers[(place.Row * 2) + place.Column]).Sum());
            foreach (var map in new[] { x, last })
            {
                var y = window.Sum(map, weight.to(dtype));
                Tolerance.AssertClose(expected, y.to(ScalarType.Float64), dtype == ScalarType.Float32 ? 1e-5 : 1e-12);
                y.square().sum().backward();
            }

            Tolerance.AssertClose(x.grad!, last.grad!, 1e-4);
            Tolerance.AssertClose(Windows.Pool(x, (3, 2), (2, 3), (1, 1), (dilation, dilation), ceil, values => values.Sum()), window.Sum(x).to(ScalarType.Float64), 1e-5);
        }
    }

    [Fact]
    public void Height_and_width_have_settings_of_their_own()
    {
        using var scope = NewDisposeScope();
        var x = randn(1, 2, 9, 10);
        var window = new Window2d((3, 2), (1, 2), (1, 0), (2, 3), true);
        Tolerance.AssertClose(nn.functional.max_pool2d(x, [3, 2], [1, 2], [1, 0], [2, 3], true), window.Of(x, double.NegativeInfinity).amax([0]), 0);
        Assert.Equal(6, window.Of(x, 0).size(0));
    }

    [Fact]
    public void Settings_that_are_none_are_refused()
    {
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647", () => new(0, null, null, null, false));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647", () => new((2, long.MaxValue), null, null, null, false));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647", () => new(2, 0, null, null, false));
        Refused<ArgumentOutOfRangeException>("expected 0 to 2147483647", () => new(2, null, -1, null, false));
        Refused<ArgumentOutOfRangeException>("expected a padding of at most half the kernel's 3", () => new(3, null, 2, null, false));
        Refused<ArgumentException>("expected one number or (height, width), got [1, 2, 3]", () => new((1, 2, 3), null, null, null, false));
        Refused<ArgumentException>("expected one number or (height, width), got []", () => new(default, null, null, null, false));
        using var scope = NewDisposeScope();
        Refused<ArgumentException>("expected a map large enough for a window of 3×3 with padding 1, 1 and dilation 2, 2, got 2×9 (H×W)", () =>
        {
            var window = new Window2d(3, 1, 1, 2, false);
            window.OutputSize(rand(1, 1, 2, 9));
            return window;
        });

        static void Refused<T>(string message, Func<Window2d> make)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(make).Message, StringComparison.Ordinal);
    }
}
