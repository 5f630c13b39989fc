using static TorchSharp.torch;

namespace TorchPooling.Tests.Global;

public class RMACTests
{
    [Theory]
    [InlineData(12, 12, 3, 14)]    // 1 + 4 + 9
    [InlineData(12, 12, 1, 1)]
    [InlineData(10, 20, 3, 26)]    // m = 3, overlap 0.5: 3 + 2·4 + 3·5
    [InlineData(20, 10, 3, 26)]
    [InlineData(10, 16, 2, 8)]     // m = 2, overlap 0.4: 2 + 2·3
    [InlineData(10, 11, 1, 2)]     // m = 2 at least, where the map is no square
    [InlineData(10, 70, 1, 11)]    // m = 11, overlap 0.4, with no upper limit
    [InlineData(5, 9, 1, 2)]       // overlap 0.2 with m = 2, 0.6 with m = 3: the smaller of two
    [InlineData(1, 1, 3, 1)]       // squares of side ⌊2/3⌋ are none
    public void A_constant_channel_counts_the_regions(long h, long w, long levels, double regions)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(regions, new RMAC(levels).call(full(1, 1, h, w, 7, dtype: ScalarType.Float64)).ToDouble(), 1e-12);
    }

    [Theory]
    [InlineData(7, 7, 3)]
    [InlineData(13, 8, 3)]
    [InlineData(6, 31, 4)]
    [InlineData(2, 3, 5)]
    [InlineData(15, 11, 2)]
    public void It_equals_the_loop_of_the_paper(int h, int w, int levels)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 5, h, w, dtype: ScalarType.Float64);
        Tolerance.AssertClose(Loop(x, levels), pooling.rmac(x, levels));
    }

    [PyTorchFact]
    public void The_PyTorch_port_adds_the_whole_map()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        foreach (var (h, w) in new[] { (14, 14), (11, 20), (24, 13), (9, 10) })
        {
            var x = rand(2, 6, h, w);
            var input = Python.Write(folder.Path, "x", x);
            Python.Run(Port, input, folder.File("y"), $"{h}", $"{w}");
            var ours = pooling.rmac(x) + pooling.l2_normalize(pooling.mac(x));
            Tolerance.AssertClose(Python.Read(folder.File("y"), 2, 6, 1, 1), ours, 1e-5, $"{h}×{w}");
        }
    }

    [Fact]
    public void Without_a_scale_it_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>("levels", () => new RMAC(0));
        Assert.Throws<ArgumentOutOfRangeException>("levels", () => pooling.rmac(rand(1, 1, 2, 2), -1));
    }

    /// <summary>The region rule of cnnimageretrieval-pytorch: 2 … 7 steps, starts ⌊i·b⌋, the whole map first, ‖f‖ + 1e-6.
    /// The 1e-9 under the floor is not in it: it keeps a whole i·b from being rounded to the position before.</summary>
    private const string Port = """
        import sys, numpy as np, torch
        h, w = int(sys.argv[3]), int(sys.argv[4])
        x = torch.from_numpy(np.fromfile(sys.argv[1], np.float32)).reshape(2, 6, h, w)
        short = min(h, w)
        overlaps = 1 - (max(h, w) - short) / (np.arange(2, 8) - 1) / short
        extra = 0 if h == w else int(np.argmin(abs(overlaps - 0.4))) + 1
        boxes = [(0, 0, h, w)]
        for l in (1, 2, 3):
            side = 2 * short // (l + 1)
            rows, columns = l + (extra if h > w else 0), l + (extra if w > h else 0)
            tops = np.floor(np.arange(rows) * ((h - side) / max(rows - 1, 1)) + 1e-9).astype(int)
            lefts = np.floor(np.arange(columns) * ((w - side) / max(columns - 1, 1)) + 1e-9).astype(int)
            boxes += [(t, f, t + side, f + side) for t in tops for f in lefts]
        y = 0
        for top, left, bottom, right in boxes:
            f = x[:, :, top:bottom, left:right].amax((2, 3))
            y = y + f / (f.norm(dim=1, keepdim=True) + 1e-6)
        y.numpy().tofile(sys.argv[2])
        """;

    /// <summary>The regions of the paper with scalar loops; m by trying all.</summary>
    private static Tensor Loop(Tensor x, int levels)
    {
        var (n, c, h, w) = ((int)x.size(0), (int)x.size(1), (int)x.size(2), (int)x.size(3));
        var shortest = Math.Min(h, w);
        double Miss(int m) => Math.Abs(1 - (Math.Max(h, w) - shortest) / ((m - 1.0) * shortest) - 0.4);
        var m = h == w ? 1 : Enumerable.Range(2, 200).MinBy(Miss);
        var result = new double[n * c];
        for (var l = 1; l <= levels; l++)
        {
            var side = 2 * shortest / (l + 1);
            var (rows, columns) = (h > w ? l + m - 1 : l, w > h ? l + m - 1 : l);
            for (var region = 0; side > 0 && region < rows * columns; region++)
            {
                var top = rows == 1 ? 0 : (int)Math.Floor((h - side) * (double)(region / columns) / (rows - 1));
                var left = columns == 1 ? 0 : (int)Math.Floor((w - side) * (double)(region % columns) / (columns - 1));
                Add(top, left, side);
            }
        }

        return tensor(result).reshape(n, c, 1, 1);

        void Add(int top, int left, int side)
        {
            for (var image = 0; image < n; image++)
            {
                var f = Enumerable.Range(0, c).Select(k => x[image, k, top..(top + side), left..(left + side)]
                    .contiguous().data<double>().ToArray().Max()).ToArray();
                var norm = Math.Sqrt(f.Sum(value => value * value));
                for (var k = 0; k < c; k++)
                {
                    result[image * c + k] += f[k] / norm;
                }
            }
        }
    }
}
