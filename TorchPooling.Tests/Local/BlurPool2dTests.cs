using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class BlurPool2dTests
{
    private static readonly double[][] Binomials = [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1], [1, 4, 6, 4, 1], [1, 5, 10, 10, 5, 1], [1, 6, 15, 20, 15, 6, 1]];

    private static readonly PaddingModes[] Modes = [PaddingModes.Zeros, PaddingModes.Reflect, PaddingModes.Replicate];

    [Fact]
    public void A_diagonal_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = eye(5, dtype: ScalarType.Float64).reshape(1, 1, 5, 5);   // sixteenths: 4 + 1, 1, 0; 1, 4 + 1 + 1, 1; …
        var expected = tensor(new[] { 5, 1, 0, 1, 6, 1, 0, 1, 5.0 }).reshape(1, 1, 3, 3) / 16;
        Tolerance.AssertClose(expected, new BlurPool2d(3, 2, PaddingModes.Zeros).call(x), 0);
    }

    [Fact]
    public void Zeros_fade_the_edge_and_the_other_paddings_keep_a_constant_map()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 1, 5, 5);
        var edge = tensor(new[] { 9f, 12, 9, 12, 16, 12, 9, 12, 9 }).reshape(1, 1, 3, 3) / 16;   // (3/4)², 3/4 and 1
        Tolerance.AssertClose(edge, pooling.blur_pool2d(x, padding_mode: PaddingModes.Zeros), 0);
        for (var size = 1; size <= 7; size++)
        {
            Tolerance.AssertClose(ones(1, 1, 3, 3), pooling.blur_pool2d(x, size), 0);
            Tolerance.AssertClose(ones(1, 1, 3, 3), pooling.blur_pool2d(x, size, padding_mode: PaddingModes.Replicate), 0);
        }
    }

    [Fact]
    public void Stripes_that_the_smaller_map_cannot_show_become_their_mean()
    {
        using var scope = NewDisposeScope();
        var stripes = (arange(9) % 2).to(ScalarType.Float32).expand(1, 1, 9, 9);
        Tolerance.AssertClose(full(1, 1, 5, 5, 0.5), pooling.blur_pool2d(stripes), 0);
        Tolerance.AssertClose(zeros(1, 1, 5, 5), pooling.blur_pool2d(stripes, 1), 0);   // without the filter they fold into a flat 0
    }

    [Fact]
    public void Two_taps_are_the_average_of_two_by_two_and_one_tap_is_subsampling()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 8, 6, dtype: ScalarType.Float64);
        Tolerance.AssertClose(nn.functional.avg_pool2d(x, 2), pooling.blur_pool2d(x, 2));
        Tolerance.AssertClose(x.slice(2, 0, 8, 3).slice(3, 0, 6, 3), pooling.blur_pool2d(x, 1, 3), 0);
    }

    [Fact]
    public void It_is_the_formula_for_every_size_stride_and_padding()
    {
        var x = randn(1, 2, 5, 6, dtype: ScalarType.Float64);
        foreach (var mode in Modes)
        {
            for (var size = 1; size <= 7; size++)
            {
                for (var stride = 1; stride <= 4; stride++)
                {
                    using var scope = NewDisposeScope();
                    Tolerance.AssertClose(Formula(x, Binomials[size - 1], stride, mode), pooling.blur_pool2d(x, size, stride, mode), where: $"{size} taps, stride {stride}, {mode}");
                }
            }
        }
    }

    [Fact]
    public void It_has_no_parameters() => Assert.Empty(new BlurPool2d().state_dict());

    [Fact]
    public void A_stride_beyond_the_map_leaves_its_first_pixel()
    {
        using var scope = NewDisposeScope();
        var x = rand(1, 1, 5, 5);
        Tolerance.AssertClose(pooling.blur_pool2d(x, 3, 1)[.., .., ..1, ..1], pooling.blur_pool2d(x, 3, int.MaxValue), 0);
    }

    [PyTorchFact]
    public void Outputs_and_gradients_equal_those_of_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = randn(2, 3, 9, 8).requires_grad_();
        Python.Write(folder.Path, "x", x);
        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder = sys.argv[1]
            load = torch.from_numpy(numpy.fromfile(folder + "/x", "float32")).reshape(2, 3, 9, 8)
            rows = [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1], [1, 4, 6, 4, 1], [1, 5, 10, 10, 5, 1], [1, 6, 15, 20, 15, 6, 1]]
            for mode in "Zeros", "Reflect", "Replicate":
                for k, row in enumerate(rows, 1):
                    for stride in 1, 2, 3:
                        for blur in True, False:
                            x = load.clone().requires_grad_()
                            m = x if blur else F.max_pool2d(x, 2, 1)
                            row = torch.tensor(row, dtype=torch.float32)
                            kernel = (row[:, None] * row[None] / row.sum() ** 2).expand(3, 1, k, k)
                            pads = [(k - 1) // 2, k // 2] * 2
                            padded = F.pad(m, pads, "constant" if mode == "Zeros" else mode.lower())
                            y = F.conv2d(padded, kernel, stride=stride, groups=3)
                            (y * torch.arange(y.numel()).cos().reshape(y.shape)).sum().backward()
                            y.detach().numpy().tofile(f"{folder}/y{mode}{k}{stride}{blur}")
                            x.grad.numpy().tofile(f"{folder}/g{mode}{k}{stride}{blur}")
            """, folder.Path);

        foreach (var mode in Modes)
        {
            for (var size = 1; size <= 7; size++)
            {
                for (var stride = 1; stride <= 3; stride++)
                {
                    Compare(new BlurPool2d(size, stride, mode), $"{mode}{size}{stride}True");
                    Compare(new MaxBlurPool2d(2, stride, filter_size: size, padding_mode: mode), $"{mode}{size}{stride}False");
                }
            }
        }

        void Compare(nn.Module<Tensor, Tensor> module, string name)
        {
            x.grad?.zero_();
            var y = module.call(x);
            (y * arange(y.numel()).cos().reshape(y.shape)).sum().backward();
            Tolerance.AssertClose(Python.Read(folder.File($"y{name}"), y.shape), y, where: name);
            Tolerance.AssertClose(Python.Read(folder.File($"g{name}"), x.shape), x.grad!, where: $"gradient {name}");
        }
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        Refused<ArgumentOutOfRangeException>("expected 1 to 7 (Parameter 'kernel_size')", () => new BlurPool2d(0));
        Refused<ArgumentOutOfRangeException>("expected 1 to 7 (Parameter 'kernel_size')", () => new BlurPool2d(long.MaxValue));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'stride')", () => new BlurPool2d(3, 0));
        Refused<ArgumentOutOfRangeException>("expected 1 to 2147483647 (Parameter 'stride')", () => new BlurPool2d(3, long.MaxValue));
        Refused<ArgumentException>("expected Zeros, Reflect or Replicate, got Circular", () => new BlurPool2d(3, 2, PaddingModes.Circular));
        Refused<ArgumentException>("expected Zeros, Reflect or Replicate, got 77", () => new BlurPool2d(3, 2, (PaddingModes)77));
        Refused<ArgumentException>("expected a map of at least 4×4 to reflect 3 of its pixels (Replicate and Zeros take any), got 9×3 (H×W)", () => new BlurPool2d(7).call(rand(1, 1, 9, 3)));
        Assert.Equal([1, 1, 1, 1], new BlurPool2d(7, 2, PaddingModes.Replicate).call(rand(1, 1, 1, 1)).shape);

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }

    /// <summary>Each output as its sum of pixels, those beyond the map as the padding says.</summary>
    private static Tensor Formula(Tensor x, double[] taps, int stride, PaddingModes mode)
    {
        var (source, height, width) = (x.data<double>().ToNDArray(), (int)x.size(2), (int)x.size(3));
        var (before, total, values) = ((taps.Length - 1) / 2, Math.Pow(taps.Sum(), 2), new List<double>());
        for (var c = 0; c < x.size(1); c++)
        {
            for (var h = 0; h < height; h += stride)
            {
                for (var w = 0; w < width; w += stride)
                {
                    values.Add((
                        from i in Enumerable.Range(0, taps.Length)
                        from j in Enumerable.Range(0, taps.Length)
                        select taps[i] * taps[j] * Pixel(c, h + i - before, w + j - before)).Sum() / total);
                }
            }
        }

        return tensor(values.ToArray()).reshape(1, x.size(1), ((height - 1) / stride) + 1, ((width - 1) / stride) + 1);

        double Pixel(int c, int h, int w) => mode == PaddingModes.Zeros && (h < 0 || w < 0 || h >= height || w >= width)
            ? 0 : (double)source.GetValue(0, c, Inside(h, height), Inside(w, width))!;

        int Inside(int i, int size) => mode == PaddingModes.Reflect
            ? (i < 0 ? -i : i >= size ? (2 * (size - 1)) - i : i) : Math.Clamp(i, 0, size - 1);
    }
}
