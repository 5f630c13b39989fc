using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class MedianPool2dTests
{
    [Fact]
    public void An_odd_number_has_a_middle_one_and_an_even_number_the_mean_of_two()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 9, 1, 8, 2, 7, 3 }).reshape(1, 1, 2, 3);
        Assert.Equal(8, pooling.median_pool2d(x, (1, 3)).flatten()[0].ToDouble());
        Assert.Equal(5, new MedianPool2d((2, 3)).call(x).ToDouble());   // between 3 and 7
        Tolerance.AssertClose(-new MedianPool2d(2, 1).call(x), new MedianPool2d(2, 1).call(-x), 0);
    }

    [Fact]
    public void It_is_the_median_with_padding_left_out()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 9, dtype: ScalarType.Float64);
        foreach (var kernel in new[] { (H: 3L, W: 3L), (3, 2), (2, 2), (5, 1) })
        {
            Tolerance.AssertClose(
                Windows.Pool(x, kernel, (2, 1), (1, 0), (1, 2), true, values =>
                {
                    var sorted = values.Order().ToList();
                    return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
                }),
                pooling.median_pool2d(x, kernel, (2, 1), (1, 0), (1, 2), true), where: $"{kernel}");
        }
    }

    [Fact]
    public void The_pixels_taken_have_the_gradient_of_equal_ones_the_middle_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        Gradient([0, 0, 1], [3, 1, 2]);
        Gradient([0, 0.5f, 0, 0.5f], [9, 2, 1, 3]);
        Gradient([0, 1, 0], [5, 5, 5]);
        Gradient([0, 0.5f, 0.5f, 0], [5, 5, 5, 5]);
        Gradient([0, 0, 1, 0, 0], [0, 7, 0, 0, -7]);   // sorted −7, 0 (first), 0 (third), 0, 7

        static void Gradient(float[] expected, float[] values)
        {
            var x = tensor(values).reshape(1, 1, 1, -1).requires_grad_();
            pooling.median_pool2d(x, (1, values.Length)).backward();
            Tolerance.AssertClose(tensor(expected).reshape(1, 1, 1, -1), x.grad!, 0, string.Join(" ", values));
        }
    }

    [Fact]
    public void One_outlier_changes_nothing_and_NaN_stays_NaN()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 6, 6);
        x[0, 0, 1, 1] = float.PositiveInfinity;
        x[0, 0, 4, 4] = -1e30f;
        Tolerance.AssertClose(ones(1, 1, 2, 2), pooling.median_pool2d(x, 3), 0);
        x[0, 0, 1, 1] = float.NaN;
        Assert.Equal([true, false, false, false], pooling.median_pool2d(x, 3).isnan().flatten().data<bool>().ToArray());
        Assert.True(pooling.median_pool2d(x, 3, padding: 1)[0, 0, 0, 0].isnan().ToBoolean());
    }

    [Fact]
    public void The_mean_of_two_large_values_does_not_overflow()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(3e38f, pooling.median_pool2d(full([1, 1, 2, 2], 3e38f), 2).ToSingle());
    }

    [PyTorchFact]
    public void Of_an_odd_number_it_is_PyTorchs_median()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = randn(2, 3, 9, 8).requires_grad_();
        var y = new MedianPool2d(3, 1).call(x);
        var direction = randn_like(y);
        (y * direction).sum().backward();
        Python.Write(folder.Path, "x", x);
        Python.Write(folder.Path, "direction", direction);
        Python.Run(
            """
            import sys, numpy, torch
            read = lambda name, *shape: torch.from_numpy(numpy.fromfile(f"{sys.argv[1]}/{name}", "float32")).reshape(shape)
            x = read("x", 2, 3, 9, 8).requires_grad_()
            y = x.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4).median(4)[0]
            (y * read("direction", *y.shape)).sum().backward()
            y.detach().numpy().tofile(sys.argv[1] + "/y")
            x.grad.numpy().tofile(sys.argv[1] + "/gradient")
            """, folder.Path);
        Tolerance.AssertClose(Python.Read(folder.File("y"), y.shape), y, 0);
        Tolerance.AssertClose(Python.Read(folder.File("gradient"), x.shape), x.grad!);
    }
}
