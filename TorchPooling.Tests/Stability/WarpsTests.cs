using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Stability;

public class WarpsTests
{
    public static TheoryData<ScalarType> Dtypes => [ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float64];

    [Fact]
    public void Half_a_pixel_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[,] { { 0, 1, 4 }, { 10, 20, 40 } }).view(1, 1, 2, 3);
        var right = tensor(new[,] { { 0, 0.5, 2.5 }, { 10, 15, 30 } }).view(1, 1, 2, 3);   // the border pixel goes on
        Tolerance.AssertClose(right, warps.translate(x, 0, 0.5));
        var around = tensor(new[,] { { 2, 0.5, 2.5 }, { 25, 15, 30 } }).view(1, 1, 2, 3);
        Tolerance.AssertClose(around, warps.translate(x, 0, 0.5, wrap: true));
        Tolerance.AssertClose(around.roll([1], [2]), warps.translate(x, -5, 0.5 - 300, wrap: true));
        var up = tensor(new[,] { { 2.5, 5.75, 13 }, { 10, 20, 40 } }).view(1, 1, 2, 3);
        Tolerance.AssertClose(up, warps.translate(x, -0.25, 0));

        // (0.75, 0.25) between 0, 1, 10, 20: rows first, 0.75·0 + 0.25·10 = 2.5 and 0.75·1 + 0.25·20 = 5.75, then 0.25·2.5 + 0.75·5.75.
        Assert.Equal(4.9375, warps.translate(x, -0.25, -0.75)[0, 0, 0, 0].ToDouble());
    }

    [Theory, MemberData(nameof(Dtypes))]
    public void Warps_by_nothing_whole_pixels_and_right_angles_are_exact(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        foreach (var side in new long[] { 1, 2, 5, 8, 33 })
        {
            var x = Seeded.Normal(side, [2, 3, side, side]).to(dtype);
            Tolerance.AssertClose(x, warps.translate(x, 0, 0), 0);
            Tolerance.AssertClose(x, warps.rotate(x, 0), 0);
            Tolerance.AssertClose(x, warps.scale(x, 1), 0);
            Tolerance.AssertClose(x, warps.deform(x, zeros(1, 2, side, side)), 0);
            Tolerance.AssertClose(x.roll([2, -3], [2, 3]), warps.translate(x, 2, -3, wrap: true), 0);
            for (var turns = -4; turns <= 5; turns++)
            {
                Tolerance.AssertClose(x.rot90(turns, (2, 3)), warps.rotate(x, 90 * turns), 0, $"{turns}");
            }
        }
    }

    [Theory]
    [InlineData(3.25, -1.5)]
    [InlineData(-0.125, 40.75)]
    public void Translation_equals_the_loop(double dy, double dx)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 1, 5, 7], ScalarType.Float64);
        foreach (var wrap in new[] { false, true })
        {
            Tolerance.AssertClose(Loop(x, (h, w) => (h - dy, w - dx), wrap), warps.translate(x, dy, dx, wrap));
        }
    }

    [Theory]
    [InlineData(30, 1)]
    [InlineData(-75.5, 1)]
    [InlineData(0, 0.5)]
    [InlineData(0, 1.7)]
    public void Rotation_and_scale_equal_the_loop(double degrees, double factor)
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [1, 1, 6, 9], ScalarType.Float64);
        var angle = degrees * Math.PI / 180;
        var expected = Loop(x, (h, w) =>
        {
            var (v, u) = ((h - 2.5) / factor, (w - 4) / factor);   // counter-clockwise, rows downwards
            return (2.5 + v * Math.Cos(angle) + u * Math.Sin(angle), 4 + u * Math.Cos(angle) - v * Math.Sin(angle));
        });
        Tolerance.AssertClose(expected, degrees == 0 ? warps.scale(x, factor) : warps.rotate(x, degrees));
    }

    [Fact]
    public void Deformation_equals_the_loop_for_each_image_and_for_all()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 1, 5, 7], ScalarType.Float64);
        var field = Seeded.Normal(2, [2, 2, 5, 7], ScalarType.Float64) * 2;
        var y = warps.deform(x, field);
        for (var n = 0; n < 2; n++)
        {
            var (image, own) = (x.narrow(0, n, 1), field.narrow(0, n, 1));
            var expected = Loop(image, (h, w) => (h + own[0, 0, h, w].ToDouble(), w + own[0, 1, h, w].ToDouble()));
            Tolerance.AssertClose(expected, y.narrow(0, n, 1));
            Tolerance.AssertClose(expected, warps.deform(x, own).narrow(0, n, 1));
        }
    }

    [Fact]
    public void The_gradient_is_that_of_the_sampling_and_no_tensor_stays()
    {
        using var scope = NewDisposeScope();
        var x = Seeded.Normal(1, [2, 2, 5, 4], ScalarType.Float64).requires_grad_();
        var field = Seeded.Normal(2, [2, 2, 5, 4], ScalarType.Float64);
        foreach (Func<Tensor, Tensor> warp in new Func<Tensor, Tensor>[]
        {
            v => warps.translate(v, 0.3, -1.4), v => warps.translate(v, 0.3, -1.4, wrap: true), v => warps.rotate(v, 17), v => warps.scale(v, 0.8), v => warps.deform(v, field),
        })
        {
            // Linear in x: <warp(a), b> = <a, gradient of <warp(x), b>>.
            var (a, b) = (randn_like(x), randn_like(x));
            x.grad = null;
            (warp(x) * b).sum().backward();
            Assert.Equal((warp(a) * b).sum().ToDouble(), (a * x.grad!).sum().ToDouble(), 1e-10);
            var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            var y = warp(a);
            Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
            Assert.Equal(a.shape, y.shape);
        }
    }

    [Fact]
    public void No_images_stay_none()
    {
        using var scope = NewDisposeScope();
        var x = zeros(0, 2, 5, 4);
        Assert.Equal(x.shape, warps.translate(x, 1, 0.5).shape);
        Assert.Equal(x.shape, warps.rotate(x, 45).shape);
        Assert.Equal(x.shape, warps.scale(x, 2).shape);
        Assert.Equal(x.shape, warps.deform(x, zeros(0, 2, 5, 4)).shape);
        Assert.Equal(x.shape, warps.deform(x, zeros(1, 2, 5, 4)).shape);
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 1, 5, 4);
        Assert.Contains("expected a feature map", Assert.Throws<ArgumentException>("x", () => warps.rotate(zeros(5, 4), 1)).Message, StringComparison.Ordinal);
        Assert.Contains("finite", Assert.Throws<ArgumentOutOfRangeException>("dy", () => warps.translate(x, double.NaN, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("finite", Assert.Throws<ArgumentOutOfRangeException>("dx", () => warps.translate(x, 0, double.PositiveInfinity)).Message, StringComparison.Ordinal);
        Assert.Contains("finite", Assert.Throws<ArgumentOutOfRangeException>("degrees", () => warps.rotate(x, double.NaN)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("factor", () => warps.scale(x, 0));
        var refusal = Assert.Throws<ArgumentException>("field", () => warps.deform(x, zeros(3, 2, 5, 4)));
        Assert.Contains("expected the shape (2, 2, 5, 4), got 4 dimensions (3, 2, 5, 4)", refusal.Message, StringComparison.Ordinal);
        refusal = Assert.Throws<ArgumentException>("field", () => warps.deform(x, full(1, 2, 5, 4, double.NaN)));
        Assert.Contains("expected finite displacements", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Bilinear sampling of a map (1, 1, H, W), pixel by pixel.</summary>
    private static Tensor Loop(Tensor x, Func<int, int, (double Row, double Column)> source, bool wrap = false)
    {
        var (height, width) = ((int)x.size(2), (int)x.size(3));
        var values = x.contiguous().data<double>().ToArray();
        var y = new double[height * width];
        for (var h = 0; h < height; h++)
        {
            for (var w = 0; w < width; w++)
            {
                var (row, column) = source(h, w);
                var (top, left) = ((int)Math.Floor(row), (int)Math.Floor(column));
                for (var i = 0; i < 4; i++)
                {
                    var (r, c) = (top + i / 2, left + i % 2);
                    var weight = (1 - Math.Abs(row - r)) * (1 - Math.Abs(column - c));
                    y[h * width + w] += weight * values[At(r, height, wrap) * width + At(c, width, wrap)];
                }
            }
        }

        return tensor(y).view(x.shape);
    }

    private static int At(int place, int size, bool wrap) => wrap ? (place % size + size) % size : Math.Clamp(place, 0, size - 1);
}
