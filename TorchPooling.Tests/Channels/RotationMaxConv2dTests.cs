using static TorchSharp.torch;

namespace TorchPooling.Tests.Channels;

public class RotationMaxConv2dTests
{
    [Fact]
    public void A_corner_is_found_in_every_direction()
    {
        using var scope = NewDisposeScope();
        var filter = tensor(new float[] { 1, 1, 1, 0 }).reshape(1, 1, 2, 2);
        foreach (var turn in Enumerable.Range(0, 4))
        {
            Assert.Equal(3, pooling.rotation_max_conv2d(filter.rot90(turn, (2, 3)), filter).ToSingle());
        }

        var x = tensor(new float[] { 0, -1, 0, 1 }).reshape(1, 1, 2, 2);   // answers −1, 0, 1, 0
        Assert.Equal(3.5, pooling.rotation_max_conv2d(x, filter, tensor(new[] { 2.5f })).ToSingle());
    }

    [Fact]
    public void It_is_the_maximum_of_four_convolutions_with_turned_filters()
    {
        using var scope = NewDisposeScope();
        foreach (var (kernel, stride, padding, dilation, groups) in new[] { (3L, 1L, 1L, 1L, 1L), (2L, 2L, 1L, 1L, 1L), (3L, 2L, 2L, 2L, 2L), (1L, 3L, 0L, 1L, 4L), (5L, 1L, 0L, 1L, 2L) })
        {
            var layer = new RotationMaxConv2d(4, 8, kernel, stride, padding, dilation, groups, dtype: ScalarType.Float64);
            var (weight, bias) = (layer.state_dict()["weight"], layer.state_dict()["bias"]);
            var x = randn(2, 4, 9, 8, dtype: ScalarType.Float64);
            var expected = full_like(layer.call(x), double.NegativeInfinity);
            var filter = weight;
            for (var turn = 0; turn < 4; turn++)
            {
                expected = expected.maximum(nn.functional.conv2d(x, filter, bias, [stride, stride], [padding, padding], [dilation, dilation], groups));
                filter = filter.transpose(2, 3).flip(2);   // a quarter turn, written without rot90
            }

            Tolerance.AssertClose(expected, layer.call(x), where: $"{kernel}, {stride}, {padding}, {dilation}, {groups}");
        }
    }

    [Theory]
    [InlineData(3, 1, 1, 1, 6, 9)]
    [InlineData(2, 1, 0, 1, 5, 8)]
    [InlineData(3, 2, 1, 1, 7, 9)]
    [InlineData(3, 2, 2, 2, 5, 7)]
    public void The_output_of_a_turned_map_is_the_turned_output(long kernel, long stride, long padding, long dilation, long height, long width)
    {
        using var scope = NewDisposeScope();
        var layer = new RotationMaxConv2d(2, 5, kernel, stride, padding, dilation, dtype: ScalarType.Float64);
        var x = randn(2, 2, height, width, dtype: ScalarType.Float64);
        var y = layer.call(x);
        foreach (var turn in new[] { 1, 2, 3 })
        {
            Tolerance.AssertClose(y.rot90(turn, (2, 3)), layer.call(x.rot90(turn, (2, 3))), where: $"{turn} turns");
        }
    }

    [Fact]
    public void It_starts_and_is_named_as_a_convolution()
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (new RotationMaxConv2d(64, 128, 3), nn.Conv2d(64, 128, 3));
        Assert.Equal(theirs.state_dict().Keys, ours.state_dict().Keys);
        foreach (var (name, value) in ours.state_dict())
        {
            Assert.Equal(theirs.state_dict()[name].shape, value.shape);
            Assert.InRange(value.abs().max().ToSingle(), 0.9 / Math.Sqrt(64 * 9), 1 / Math.Sqrt(64 * 9));
        }

        ours.load_state_dict(theirs.state_dict());
        Assert.Equal(["weight"], new RotationMaxConv2d(1, 1, 1, bias: false).state_dict().Keys);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused("expected 1 to 2147483647", () => new RotationMaxConv2d(0, 1, 1));
        Refused("expected 1 to 2147483647", () => new RotationMaxConv2d(1, 1, 3, stride: 0));
        Refused("expected 0 to 1", () => new RotationMaxConv2d(1, 1, 3, padding: 2));
        Refused("expected 0 to 1", () => new RotationMaxConv2d(1, 1, 3, padding: -1));
        Refused("expected channels that 2 groups divide, got 3 to 4", () => new RotationMaxConv2d(3, 4, 1, groups: 2));
        Refused("expected what fits into", () => new RotationMaxConv2d(1, 1, int.MaxValue));
        Refused("expected a floating-point dtype, got Int32", () => new RotationMaxConv2d(1, 1, 1, dtype: ScalarType.Int32));
        var weight = rand(4, 2, 3, 3);
        Refused("expected a map large enough for a filter of 3×3 with padding 0 and dilation 2, got 9×4 (H×W)", () => pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight, dilation: 2));
        Refused("expected a map large enough", () => pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight, dilation: int.MaxValue));
        Refused("expected filters (O, C/groups, k, k), got 4 dimensions (4, 2, 3, 2)", () => pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight[.., .., .., ..2]));
        Refused("expected a positive number that divides the 4 filters", () => pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight, groups: 3));
        Refused("expected the shape (4), got 1 dimensions (3)", () => pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight, rand(3)));
        Refused("expected 4 channels, got a feature map (1, 2, 9, 4) with 2", () => pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight, groups: 2));
        Assert.Equal([1, 4, 9, 4], pooling.rotation_max_conv2d(rand(1, 2, 9, 4), weight, padding: int.MaxValue, dilation: int.MaxValue).shape);

        static void Refused(string message, Func<object> make) =>
            Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
