using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class TreePool2dTests
{
    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 1, 2, 3, 6 }).reshape(1, 1, 2, 2);
        var leaves = tensor(new double[] { 1, 0, 0, 0, 0, 0, 0, 2 }).reshape(2, 1, 2, 2);   // 1 and 12
        var gates = tensor(new[] { 0, 0, Math.Log(3) / 3, 0 }).reshape(1, 1, 2, 2);   // 3/4 to the left
        Assert.Equal(3.75, pooling.tree_pool2d(x, leaves, gates).ToDouble(), 1e-15);
    }

    [Fact]
    public void It_starts_as_the_average()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 9, 8, dtype: ScalarType.Float64);
        for (var levels = 2; levels <= 5; levels++)
        {
            var module = new TreePool2d(3, 2, 1, levels: levels, num_channels: levels % 2 == 0 ? 3 : null, dtype: ScalarType.Float64);
            Tolerance.AssertClose(nn.functional.avg_pool2d(x, 3, 2, 1), module.call(x));
        }
    }

    [Fact]
    public void It_is_the_formula_for_three_levels_and_a_tree_for_each_channel()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 7, 6, dtype: ScalarType.Float64);
        var (leaves, gates) = (randn(4, 3, 3, 2, dtype: ScalarType.Float64), randn(3, 3, 3, 2, dtype: ScalarType.Float64));
        var y = pooling.tree_pool2d(x, leaves, gates, 2, 1, (1, 2), true);
        for (var c = 0; c < 3; c++)
        {
            var expected = Windows.Pool(x.narrow(1, c, 1), (3, 2), (2, 2), (1, 1), (1, 2), true, (values, places) => Node(0, c, values, places));
            Tolerance.AssertClose(expected, y.narrow(1, c, 1), where: $"channel {c}");
        }

        // nodes 0 to 2 are gates, 3 to 6 leaves; those under m are 2m + 1 and 2m + 2
        double Node(int m, int c, IReadOnlyList<double> values, IReadOnlyList<(long Row, long Column)> places)
        {
            var filter = m < 3 ? gates[m, c] : leaves[m - 3, c];
            var product = values.Zip(places, (v, place) => v * filter[place.Row, place.Column].ToDouble()).Sum();
            var gate = 1 / (1 + Math.Exp(-product));
            return m >= 3 ? product : (gate * Node((2 * m) + 1, c, values, places)) + ((1 - gate) * Node((2 * m) + 2, c, values, places));
        }
    }

    [Fact]
    public void Equal_leaves_would_stay_equal_and_those_of_the_start_part()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [4, 1, 6, 6], ScalarType.Float64);
        var even = (Leaves: full([4, 1, 2, 2], 0.25, dtype: ScalarType.Float64).requires_grad_(), Gates: zeros(3, 1, 2, 2, dtype: ScalarType.Float64).requires_grad_());
        pooling.tree_pool2d(x, even.Leaves, even.Gates).square().sum().backward();
        Tolerance.AssertClose(zeros_like(even.Gates), even.Gates.grad!);
        Tolerance.AssertClose(even.Leaves.grad![..1].expand(4, 1, 2, 2), even.Leaves.grad!);

        var module = new TreePool2d(2, levels: 3, dtype: ScalarType.Float64);
        module.call(x).square().sum().backward();
        var gates = module.named_parameters().Single(p => p.name == "gates").parameter.grad!;
        Assert.True((gates.abs().amax([1, 2, 3]) > 1e-2).all().ToBoolean(), "every gate has a gradient");
    }

    [Fact]
    public void It_learns_what_no_single_filter_can()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(3, [16, 1, 8, 8]);
        var target = nn.functional.max_pool2d(x, (1, 2), (1, 2));
        var pixels = x.reshape(-1, 2);
        var filter = linalg.lstsq(pixels, target.reshape(-1, 1)).Solution;
        var linear = nn.functional.mse_loss(pixels.matmul(filter), target.reshape(-1, 1)).ToDouble();

        var module = new TreePool2d((1, 2));
        var optimizer = optim.Adam(module.parameters(), 0.1);
        for (var step = 0; step < 300; step++)
        {
            optimizer.zero_grad();
            nn.functional.mse_loss(module.call(x), target).backward();
            optimizer.step();
        }

        var tree = nn.functional.mse_loss(module.call(x), target).ToDouble();
        Assert.True(tree < 0.1 * linear, $"the tree's error {tree:0.0000}, the best filter's {linear:0.0000}");
    }

    [Fact]
    public void Its_parameters_have_a_row_for_every_node()
    {
        using var scope = NewDisposeScope();
        var state = new TreePool2d((3, 2), levels: 4, num_channels: 5).state_dict();
        Assert.Equal(["leaves", "gates"], state.Keys);
        Assert.Equal([8, 5, 3, 2], state["leaves"].shape);
        Assert.Equal([7, 5, 3, 2], state["gates"].shape);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 2, 4, 4);
        Refused<ArgumentOutOfRangeException>("expected 2 to 10 (Parameter 'levels')", () => new TreePool2d(2, levels: 1));
        Refused<ArgumentOutOfRangeException>("expected 2 to 10 (Parameter 'levels')", () => new TreePool2d(2, levels: long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>("num_channels", () => new TreePool2d(2, num_channels: 0));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (2, 9223372036854775807, 2, 2)", () => new TreePool2d(2, num_channels: long.MaxValue));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (2, 1, 2147483647, 2147483647)", () => new TreePool2d(int.MaxValue));
        Refused<ArgumentException>("expected 3 channels, got a feature map (1, 2, 4, 4) with 2", () => new TreePool2d(2, num_channels: 3).call(x));
        Refused<ArgumentException>("expected 2, 4, 8, … leaves, got (3, 1, 2, 2)", () => pooling.tree_pool2d(x, ones(3, 1, 2, 2), ones(2, 1, 2, 2)));
        Refused<ArgumentException>("expected 2, 4, 8, … leaves, got (1, 1, 2, 2)", () => pooling.tree_pool2d(x, ones(1, 1, 2, 2), ones(1, 1, 2, 2)));
        Refused<ArgumentException>("expected the shape (3, 1, 2, 2), got 4 dimensions (4, 1, 2, 2) (Parameter 'gates')", () => pooling.tree_pool2d(x, ones(4, 1, 2, 2), ones(4, 1, 2, 2)));
        Refused<ArgumentException>("expected Float32 on cpu, got Float64 on cpu (Parameter 'gates')", () => pooling.tree_pool2d(x, ones(2, 1, 2, 2), ones(1, 1, 2, 2, dtype: ScalarType.Float64)));
        Refused<ArgumentException>("expected filters of four dimensions, the last two a window's, got (2, 2, 2) (Parameter 'leaves')", () => pooling.tree_pool2d(x, ones(2, 2, 2), ones(1, 2, 2)));
        Refused<ArgumentException>("expected a floating-point tensor, got Int64 (2, 1, 2, 2) (Parameter 'leaves')", () => pooling.tree_pool2d(x, ones(2, 1, 2, 2, dtype: ScalarType.Int64), ones(1, 1, 2, 2, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentNullException>("gates", () => pooling.tree_pool2d(x, ones(2, 1, 2, 2), null!));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
