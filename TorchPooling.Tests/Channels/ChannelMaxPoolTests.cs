using static TorchSharp.torch;

namespace TorchPooling.Tests.Channels;

public class ChannelMaxPoolTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.0, 5, 2, 4, 3, 0 }).reshape(1, 6);
        Tolerance.AssertClose(tensor(new[] { 5.0, 4, 3 }).reshape(1, 3), pooling.channel_max_pool(x, 2), 0);
        Tolerance.AssertClose(tensor(new[] { 5.0, 5, 4, 4 }).reshape(1, 4), pooling.channel_max_pool(x, 3, 1), 0);
    }

    [Fact]
    public void It_is_the_loop_over_channels_for_tensors_of_any_rank()
    {
        var tried = 0;
        foreach (var shape in new long[][] { [3, 7], [2, 6, 5], [2, 7, 3, 4], [1, 5, 2, 3, 2] })
        {
            foreach (var (kernel, stride, padding, dilation, ceil) in new[] { (2L, 2L, 0L, 1L, false), (3L, 1L, 1L, 1L, false), (3L, 2L, 1L, 2L, true), (2L, 4L, 0L, 3L, true) })
            {
                using var scope = NewDisposeScope();
                var x = Seeded.Normal(3, shape);
                var y = new ChannelMaxPool(kernel, stride, padding, dilation, ceil).call(x);
                var expected = Enumerable.Range(0, (int)y.size(1)).Select(c => cat([.. Enumerable.Range(0, (int)kernel)
                    .Select(i => (c * stride) - padding + (i * dilation))
                    .Where(channel => channel >= 0 && channel < shape[1])
                    .Select(channel => x.narrow(1, channel, 1))], 1).amax([1], keepdim: true));
                Tolerance.AssertClose(cat([.. expected], 1), y, 0, $"{string.Join('×', shape)}, {kernel}, {stride}, {padding}, {dilation}, {ceil}");
                tried++;
            }
        }

        Assert.Equal(16, tried);
    }

    [Fact]
    public void The_first_of_equal_channels_takes_the_gradient_and_NaN_wins()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 4, 2).requires_grad_();
        pooling.channel_max_pool(x, 2).sum().backward();
        Tolerance.AssertClose(tensor(new float[] { 1, 1, 0, 0, 1, 1, 0, 0 }).reshape(1, 4, 2), x.grad!, 0);
        Assert.True(pooling.channel_max_pool(tensor(new[] { 1f, float.NaN, 3 }).reshape(1, 3), 3).isnan().all().ToBoolean());
    }

    [Fact]
    public void Huge_settings_are_windows_like_others()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 4);
        const int most = int.MaxValue;
        Tolerance.AssertClose(x.amax([1], keepdim: true), pooling.channel_max_pool(x, most, most, most / 2), 0);
        Tolerance.AssertClose(x.narrow(1, 0, 1), pooling.channel_max_pool(x, 1, most, 0, most, ceil_mode: true), 0);
        Assert.Equal([0, 1, 4], pooling.channel_max_pool(x[..0], 3).shape);
    }

    [Fact]
    public void What_is_no_window_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected 1 to 2147483647", () => new ChannelMaxPool(0));
        Refused("expected 1 to 2147483647", () => new ChannelMaxPool(2, long.MaxValue));
        Refused("expected 0 to 2147483647", () => new ChannelMaxPool(2, 1, -1));
        Refused("expected 1 to 2147483647", () => new ChannelMaxPool(2, 1, 0, 0));
        Refused("expected a padding of at most half the kernel's 3", () => new ChannelMaxPool(3, 1, 2));
        Refused("expected channels enough for a window of 4 with padding 0 and dilation 1, got 3 in (2, 3)", () => pooling.channel_max_pool(rand(2, 3), 4));
        Refused("expected channels enough for a window of 2147483647", () => pooling.channel_max_pool(rand(2, 3), int.MaxValue, dilation: int.MaxValue));
        Refused("expected a tensor (N, C, …) of which no dimension but N is empty, got 1 dimensions (3)", () => pooling.channel_max_pool(rand(3), 1));
        Refused("of which no dimension but N is empty, got 3 dimensions (2, 3, 0)", () => pooling.channel_max_pool(rand(2, 3, 0), 1));
        Refused("expected a floating-point tensor, got Int64 (2, 3)", () => pooling.channel_max_pool(ones(2, 3, dtype: ScalarType.Int64), 1));

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
