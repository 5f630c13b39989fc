using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Backbones;

public class SppNetTests
{
    [Theory]
    [InlineData(4, 4)]
    [InlineData(5, 23)]
    [InlineData(20, 20)]
    [InlineData(31, 28)]
    [InlineData(64, 40)]
    public void One_set_of_weights_takes_every_size(long height, long width)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var backbone = new VggBackbone([[4], [6]], in_channels: 1, dtype: ScalarType.Float64);
        var classifier = nn.Linear(6 * (1 + 9), 3, dtype: ScalarType.Float64);
        var net = new SppNet(backbone, classifier, 4, [1, 3]);
        var x = randn(2, 1, height, width, dtype: ScalarType.Float64);
        var map = backbone.call(x);
        var vectors = zeros(2, 60, dtype: ScalarType.Float64);
        for (var (image, c) = (0, 0L); image < 2; (image, c) = c == 5 ? (image + 1, 0) : (image, c + 1))
        {
            vectors[image, c] = map[image, c].max();
            for (var bin = 0L; bin < 9; bin++)
            {
                var (rows, columns) = (Bin(bin / 3, map.size(2)), Bin(bin % 3, map.size(3)));
                vectors[image, 6 + (9 * c) + bin] = map[image, c].slice(0, rows.From, rows.To, 1).slice(1, columns.From, columns.To, 1).max();
            }
        }

        Tolerance.AssertClose(classifier.call(vectors), net.call(x), 1e-12, "scores");

        static (long From, long To) Bin(long i, long size) => (i * size / 3, (((i + 1) * size) + 2) / 3);
    }

    [Fact]
    public void A_region_holds_the_pixels_whose_centres_lie_in_it()
    {
        using var scope = NewDisposeScope();
        var net = new SppNet(nn.AvgPool2d(4), nn.Identity(), 4, [1]);
        var x = arange(6, dtype: ScalarType.Float32).view(1, 1, 1, 6).repeat_interleave(4, 2).repeat_interleave(4, 3);   // centres at 2, 6, 10 … 22
        (float Left, float Right, float Largest)[] boxes =
        [
            (3, 9, 1), (0, 24, 5), (0, 9.9f, 1), (0, 10.1f, 2),
            (6, 14, 2), (2, 6, 1), (0, 10, 1),   // centres on the border are not within; between two of them is none
            (11, 13, 3), (23, 24, 5), (-9, -5, 0), (30, 40, 5),   // none either: the pixel after the box, or the last, or the first
        ];
        var rows = tensor(boxes.SelectMany(box => new[] { 0, box.Left, 0, box.Right, 4 }).ToArray()).view(-1, 5);
        Assert.Equal(boxes.Select(box => box.Largest), net.forward(x, rows).data<float>());
        Assert.Equal(boxes.Select(box => box.Largest), net.forward(x.transpose(2, 3), rows.index_select(1, tensor(new long[] { 0, 2, 1, 4, 3 }))).data<float>());
    }

    [Theory]
    [InlineData(2, 4, 20)]
    [InlineData(4, 20, 36)]
    [InlineData(16, 230, 242)]
    public void A_whole_image_is_a_region_of_any_size(long stride, long smallest, long largest)
    {
        using var scope = NewDisposeScope();
        var net = new SppNet(nn.AvgPool2d(stride), nn.Identity(), stride);
        for (var size = smallest; size < largest; size++)
        {
            using var step = NewDisposeScope();
            var x = Seeded.Normal(size, [1, 2, size + 3, size]);
            Tolerance.AssertClose(net.call(x), net.forward(x, tensor(new float[,] { { 0, 0, 0, size, size + 3 } })), 0, $"{size} pixels");
        }
    }

    [Fact]
    public void Regions_have_the_gradients_of_their_differences()
    {
        using var scope = NewDisposeScope();
        var net = new SppNet(nn.Conv2d(1, 2, 3, stride: 2, padding: 1, dtype: ScalarType.Float64), nn.Linear(2 * 5, 2, dtype: ScalarType.Float64), 2, [1, 2]);
        var x = Seeded.Normal(3, [2, 1, 9, 11], ScalarType.Float64);
        var boxes = tensor(new double[,] { { 0, 0, 0, 11, 9 }, { 1, 2.5, 1, 8, 7 }, { 1, 4, 4, 5, 5 } });
        var weight = Seeded.Normal(4, [3, 2], ScalarType.Float64);
        foreach (var value in net.parameters().Prepend(x))
        {
            value.requires_grad_(false);
            var expected = CentralDifferences.Of(value, Loss);
            value.requires_grad_(true);
            Tolerance.AssertClose(expected, autograd.grad([Loss()], [value])[0], 1e-7, "gradient");
        }

        Tensor Loss() => (net.forward(x, boxes) * weight).sum();
    }

    [Fact]
    public void Regions_leave_no_tensor_and_may_be_none()
    {
        using var scope = NewDisposeScope();
        var net = new SppNet(nn.MaxPool2d(2), nn.Linear(21, 3), 2);
        var x = rand(1, 1, 8, 8);
        var (none, wrong) = (zeros(0, 5), zeros(2, 4));
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using (var y = net.forward(x, none))
        {
            Assert.Equal([0, 3], y.shape);
        }

        Assert.ThrowsAny<ArgumentException>(() => net.forward(x, wrong));
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Half_precision_takes_boxes_of_float32(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var net = new SppNet(nn.MaxPool2d(2), nn.Identity(), 2, [1, 2]);
        var x = Seeded.Normal(5, [1, 2, 6, 9]).to(dtype);
        var boxes = tensor(new float[,] { { 0, 0, 0, 9, 6 }, { 0, 3, 1, 7.5f, 6 } });
        var y = net.forward(x, boxes);
        Assert.Equal(dtype, y.dtype);
        Tolerance.AssertClose(net.forward(x.to(ScalarType.Float32), boxes), y.to(ScalarType.Float32), 0, "maxima");
    }

    [Fact]
    public void Regions_on_the_grid_score_as_their_crops()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(2);
        var net = new SppNet(nn.Sequential(nn.Conv2d(2, 5, 1), nn.ReLU(), nn.MaxPool2d(2)), nn.Linear(5 * 21, 4), 2);
        var x = randn(2, 2, 16, 20);
        (int Image, int X, int Y, int Width, int Height)[] crops = [(0, 0, 0, 20, 16), (1, 4, 2, 10, 14), (1, 8, 6, 12, 10), (0, 2, 0, 8, 8)];
        var boxes = tensor(crops.SelectMany(crop => new float[] { crop.Image, crop.X, crop.Y, crop.X + crop.Width, crop.Y + crop.Height }).ToArray()).view(-1, 5);
        var expected = cat([.. crops.Select(crop => net.call(x.narrow(0, crop.Image, 1).narrow(2, crop.Y, crop.Height).narrow(3, crop.X, crop.Width)))]);
        Tolerance.AssertClose(expected, net.forward(x, boxes), 1e-5, "scores of regions");
    }

    [Fact]
    public void The_backbone_runs_once_for_all_regions()
    {
        using var scope = NewDisposeScope();
        var backbone = nn.MaxPool2d(2);
        var runs = 0;
        backbone.register_forward_hook((_, _, y) =>
        {
            runs++;
            return y;
        });
        new SppNet(backbone, nn.Identity(), 2).forward(rand(1, 1, 8, 8), tensor(new float[] { 0, 0, 0, 4, 4 }).expand(50, 5));
        Assert.Equal(1, runs);
    }

    [Fact]
    public void Its_TorchScript_keeps_any_size_and_takes_boxes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var net = new SppNet(new VggBackbone([[4], [6]], in_channels: 1), nn.Linear(6 * 21, 3), 4);
        net.eval();
        torchscript.save(net, folder.File("net.pt"), rand(1, 1, 28, 28));
        var whole = torchscript.load<Tensor, Tensor>(folder.File("net.pt"));
        var parts = torchscript.load<Tensor, Tensor, Tensor>(folder.File("net.pt"));
        foreach (var size in new long[] { 4, 20, 33, 64 })
        {
            var x = randn(2, 1, size, size + 5);
            Tolerance.AssertClose(net.call(x), whole.call(x), 1e-5, $"scores at {size}");
            var boxes = tensor(new float[,] { { 0, 0, 0, 4, 4 }, { 1, 1, 0, size, size } });
            Tolerance.AssertClose(net.forward(x, boxes), parts.call(x, boxes), 1e-5, $"regions at {size}");
        }

        Assert.Contains("smaller than min_size", Assert.ThrowsAny<Exception>(() => whole.call(rand(1, 1, 3, 9))).Message);
        Assert.Contains("expected boxes (M, 5)", Assert.ThrowsAny<Exception>(() => parts.call(rand(1, 1, 8, 9), rand(2, 6))).Message);
        Assert.Contains("expected boxes of the map's dtype", Assert.ThrowsAny<Exception>(() => parts.call(rand(1, 1, 8, 9), zeros(2, 5, dtype: ScalarType.Int64))).Message);
    }

    [Fact]
    public void What_it_cannot_take_is_refused()
    {
        using var scope = NewDisposeScope();
        var net = new SppNet(nn.MaxPool2d(2), nn.Identity(), 2, min_size: 6);
        Assert.Equal(6, net.min_size);
        Assert.Equal(2, new SppNet(nn.MaxPool2d(2), nn.Identity(), 2).min_size);
        Refused("expected images of at least 6×6 (H×W), got 5×9", () => net.call(rand(1, 1, 5, 9)));
        Refused("expected a feature map (N, C, H, W)", () => net.call(rand(1, 6, 6)));
        Refused("expected boxes (M, 5) of image, x1, y1, x2, y2, got 2 dimensions (2, 4)", () => net.forward(rand(1, 1, 6, 6), rand(2, 4)));
        Refused("expected boxes of Float32 on cpu as the map, got Int64 on cpu", () => net.forward(rand(1, 1, 6, 6), zeros(2, 5, dtype: ScalarType.Int64)));
        Refused("expected finite boxes of the images 0 to 0, got (1, 10, 20, 50, 60) in row 0", () => net.forward(rand(1, 1, 6, 6), tensor(new float[,] { { 1, 10, 20, 50, 60 } })));
        Refused("got (0, 1, NaN, 3, 4) in row 1", () => net.forward(rand(1, 1, 6, 6), tensor(new[,] { { 0, 1, 2, 3, 4 }, { 0, 1, float.NaN, 3, 4 } })));
        Refused("expected one or more levels, got none", () => new SppNet(nn.Identity(), nn.Identity(), 1, []));
        Refused("stride", () => new SppNet(nn.Identity(), nn.Identity(), 0));
        Refused("min_size", () => new SppNet(nn.Identity(), nn.Identity(), 1, min_size: 0));
        using var flat = new SppNet(nn.Flatten(), nn.Identity(), 1);
        Refused("expected a feature map (N, C, H, W), got 2 dimensions (1, 36) (Parameter 'backbone')", () => flat.call(rand(1, 1, 6, 6)));
        Refused("(Parameter 'backbone')", () => flat.forward(rand(1, 1, 6, 6), zeros(1, 5)));
        Refused("backbone", () => new SppNet(null!, nn.Identity(), 1));
        Refused("classifier", () => new SppNet(nn.Identity(), null!, 1));

        static void Refused(string message, Action call) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(call).Message);
    }
}
