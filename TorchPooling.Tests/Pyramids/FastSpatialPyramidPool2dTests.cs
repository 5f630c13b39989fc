using TorchPooling.Tests.Local;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

public class FastSpatialPyramidPool2dTests
{
    [Fact]
    public void One_pixel_grows_by_a_square_a_stage()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 9, 9);
        x[0, 0, 4, 4] = 1;
        var y = new FastSpatialPyramidPool2d(3).call(x);
        Assert.Equal([1f, 9, 25, 49], y.sum([0, 2, 3]).data<float>().ToArray());
        Assert.Equal(49f, y[0, 3, 1..8, 1..8].sum().ToSingle());
    }

    [Fact]
    public void Outputs_and_gradients_are_those_of_parallel_pools_of_5_9_and_13()
    {
        using var scope = NewDisposeScope();
        foreach (var (h, w) in new[] { (20L, 17L), (13, 13), (4, 6), (1, 1), (1, 30) })
        {
            var (stacked, parallel) = (Input(h, w), Input(h, w));
            var y = pooling.fast_spatial_pyramid_pool2d(stacked);
            var pools = new long[] { 5, 9, 13 }.Select(k => nn.functional.max_pool2d(parallel, [k, k], [1, 1], [k / 2, k / 2]));
            var expected = cat([parallel, .. pools], 1);
            var direction = Seeded.Normal(2, y.shape, ScalarType.Float64);
            (y * direction).sum().backward();
            (expected * direction).sum().backward();
            Tolerance.AssertClose(expected, y, 0, $"{h}×{w}");
            Tolerance.AssertClose(parallel.grad!, stacked.grad!, where: $"{h}×{w}: gradient");
        }

        static Tensor Input(long h, long w) => Seeded.Normal(1, [2, 3, h, w], ScalarType.Float64).requires_grad_();   // no ties
    }

    [Fact]
    public void Each_map_is_the_maximum_of_a_square_of_s_times_k_less_1_and_1()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 1, 8, 5], ScalarType.Float64) - 10;   // below 0: the padding is no maximum
        foreach (var (kernel, stages) in new[] { (1, 2), (3, 4), (7, 2) })
        {
            var maps = Enumerable.Range(1, stages).Select(s =>
            {
                var side = (s * (kernel - 1L)) + 1;
                return Windows.Pool(x, (side, side), (1, 1), (side / 2, side / 2), (1, 1), false, values => values.Max());
            });
            Tolerance.AssertClose(cat([x, .. maps], 1), pooling.fast_spatial_pyramid_pool2d(x, kernel, stages), 0, $"{stages} of {kernel}");
        }
    }

    [Fact]
    public void A_window_larger_than_the_map_holds_all_of_it()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new FastSpatialPyramidPool2d(long.MaxValue, 1);
        var x = Seeded.Normal(1, [2, 3, 6, 5]);
        var y = module.call(x);
        Tolerance.AssertClose(x.amax([2, 3], keepdim: true).expand_as(x), y[.., 3..], 0);
        torchscript.save(module, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(y, script.call(x), 0);
    }

    [Fact]
    public void The_gradient_of_a_tie_goes_to_the_first_of_the_window()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 1, 2).requires_grad_();
        pooling.fast_spatial_pyramid_pool2d(x, 3, 1).sum().backward();
        Assert.Equal([3f, 1], x.grad!.data<float>().ToArray());   // 1 each for x itself, and both windows choose the first
    }

    [Fact]
    public void NaN_spreads_over_the_squares_that_hold_it()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1, 1, 1, 5);
        x[0, 0, 0, 0] = float.NaN;
        var y = pooling.fast_spatial_pyramid_pool2d(x, 3, 2);
        Assert.Equal([true, false, false, false, false, true, true, false, false, false, true, true, true, false, false], y.isnan().data<bool>().ToArray());
    }

    [Fact]
    public void Settings_that_are_none_are_refused()
    {
        Assert.All(new[] { 0, -1, 4, long.MinValue }, k => Refused("expected a positive odd number", "kernel_size", () => new FastSpatialPyramidPool2d(k)));
        Assert.All(new[] { 0, -1, 1025, long.MaxValue }, s => Refused("expected 1 to 1024", "stages", () => new FastSpatialPyramidPool2d(5, s)));
        using var x = rand(1, 1, 2, 2);
        Refused("expected a positive odd number", "kernel_size", () => pooling.fast_spatial_pyramid_pool2d(x, 2));
        Refused("expected 1 to 1024", "stages", () => pooling.fast_spatial_pyramid_pool2d(x, 3, 0));

        static void Refused(string message, string name, Func<object> make)
        {
            var error = Assert.Throws<ArgumentOutOfRangeException>(make);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Assert.Equal(name, error.ParamName);
        }
    }
}
