using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

public class PyramidPoolingModuleTests
{
    [Fact]
    public void One_bin_adds_the_mean_everywhere()
    {
        using var scope = NewDisposeScope();
        var module = Plain(1);
        var x = tensor(new[] { 1.0, 2, 3, 4 }).reshape(1, 1, 2, 2);
        var y = module.call(cat([x, -x]));
        var mean = 2.5 / Math.Sqrt(1 + 1e-5);   // the ε of the batch normalisation
        Tolerance.AssertClose(cat([x, full_like(x, mean)], 1), y[..1], 1e-12);
        Tolerance.AssertClose(cat([-x, zeros_like(x)], 1), y[1..], 0);   // ReLU
    }

    [Theory]
    [InlineData(true, new[] { 0.0, 1, 2, 3 })]        // the bins lie on the first and the last column
    [InlineData(false, new[] { 0.0, 0.75, 2.25, 3 })]   // in the middles of their halves, and constant beyond
    public void Bins_are_interpolated_from_the_corners_or_from_their_middles(bool align_corners, double[] row)
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 0.0, 0, 3, 3 }).reshape(1, 1, 1, 4);
        var y = Plain(2, align_corners).call(x)[0, 1, 0] * Math.Sqrt(1 + 1e-5);
        Tolerance.AssertClose(tensor(row), y, 1e-12);
    }

    [PyTorchTheory]
    [InlineData(true, 9, 7)]
    [InlineData(false, 9, 7)]
    [InlineData(true, 3, 5)]   // smaller than its 6 bins
    [InlineData(true, 1, 1)]
    public void Training_and_evaluation_are_those_of_a_PyTorch_module_with_the_same_weights(bool align_corners, long h, long w)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new PyramidPoolingModule(8, align_corners: align_corners);
        Seeded.Start(module, 1);
        foreach (var (name, value) in module.state_dict())
        {
            Python.Write(folder.Path, name, value);
        }

        var (x, direction) = (Seeded.Normal(2, [3, 8, h, w]).requires_grad_(), Seeded.Normal(3, [3, 16, h, w]));
        Python.Write(folder.Path, "x", x);
        Python.Write(folder.Path, "direction", direction);
        Python.Run(
            """
            import sys, numpy, torch
            folder, align_corners, h, w = sys.argv[1], sys.argv[2] == "True", int(sys.argv[3]), int(sys.argv[4])
            def read(name, dtype="float32"):
                return torch.from_numpy(numpy.fromfile(f"{folder}/{name}", dtype))
            class Pyramid(torch.nn.Module):
                def __init__(self):
                    super().__init__()
                    self.features = torch.nn.ModuleList(torch.nn.Sequential(
                        torch.nn.AdaptiveAvgPool2d(n), torch.nn.Conv2d(8, 2, 1, bias=False), torch.nn.BatchNorm2d(2), torch.nn.ReLU()) for n in (1, 2, 3, 6))
                def forward(self, x):
                    up = torch.nn.Upsample(size=x.shape[2:], mode="bilinear", align_corners=align_corners)
                    return torch.cat([x] + [up(branch(x)) for branch in self.features], 1)
            module = Pyramid()
            weights = {name: read(name, "int64" if value.dtype == torch.int64 else "float32").reshape(value.shape) for name, value in module.state_dict().items()}
            module.load_state_dict(weights)
            open(folder + "/keys", "w").write(" ".join(weights))
            x = read("x").reshape(3, 8, h, w).requires_grad_()
            y = module(x)
            (y * read("direction").reshape(y.shape)).sum().backward()
            results = {"train": y, "grad": x.grad}
            results.update({"grad." + name: p.grad for name, p in module.named_parameters()})
            results.update({"after." + name: b.float() for name, b in module.named_buffers()})
            results["eval"] = module.eval()(x)
            for name, value in results.items():
                value.detach().numpy().tofile(f"{folder}/{name}")
            """, folder.Path, $"{align_corners}", $"{h}", $"{w}");

        Assert.Equal(File.ReadAllText(folder.File("keys")).Split(' ').Order(), module.state_dict().Keys.Order());
        var y = module.call(x);
        (y * direction).sum().backward();
        Close("train", y);
        Close("grad", x.grad!);
        Assert.All(module.named_parameters(), p => Close($"grad.{p.name}", p.parameter.grad!));
        Assert.All(module.named_buffers(), b => Close($"after.{b.name}", b.buffer.to(ScalarType.Float32)));
        module.eval();
        Close("eval", module.call(x));

        void Close(string name, Tensor actual) => Tolerance.AssertClose(Python.Read(folder.File(name), actual.shape), actual, 1e-5, name);
    }

    [Fact]
    public void The_defaults_leave_as_TorchScript_with_the_double_of_the_channels()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new PyramidPoolingModule(8);
        Seeded.Start(module, 1);
        Assert.Equal(16, module.out_channels);
        Assert.Equal(9 + (4 * 2), new PyramidPoolingModule(9).out_channels);   // rounded down
        var x = Seeded.Normal(1, [2, 8, 7, 9]);
        torchscript.save(module, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor>(folder.File("m.pt"));
        module.eval();
        script.eval();
        Tolerance.AssertClose(module.call(x), script.call(x));
        script.train();
        Assert.Contains("expected two or more values to normalise over in training", Assert.ThrowsAny<Exception>(() => script.call(x[..1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_image_is_not_normalised_over_in_training()
    {
        using var scope = NewDisposeScope();
        var (module, x) = (new PyramidPoolingModule(2, [2, 1]), rand(1, 2, 4, 4));
        Refused("expected two or more values to normalise over in training, got (1, 2, 4, 4) for 1×1 bins", x);
        Refused("expected two or more values to normalise over in training, got (0, 2, 4, 4) for 2×2 bins", x[..0]);
        foreach (var norm in module.modules().OfType<BatchNorm2d>())
        {
            norm.eval();
        }

        Assert.True(module.training);   // all but its statistics
        Assert.Equal([1, 4, 4, 4], module.call(x).shape);
        Assert.Equal([0, 4, 4, 4], module.call(x[..0]).shape);

        void Refused(string message, Tensor input) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => module.call(input)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_are_none_are_refused()
    {
        Refused<ArgumentException>("expected one or more levels of at least 1 bin a side, got []", "bins", () => new(4, []));
        Refused<ArgumentException>("expected one or more levels of at least 1 bin a side, got [1, 0]", "bins", () => new(4, [1, 0]));
        Refused<ArgumentException>("expected levels of not more than 16777216 bins together, got [9223372036854775807]", "bins", () => new(4, [long.MaxValue]));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", "dtype", () => new(4, dtype: ScalarType.Int64));
        Refused<ArgumentOutOfRangeException>("in_channels ('0') must be a non-negative and non-zero value", "in_channels", () => new(0));
        Refused<ArgumentOutOfRangeException>("expected at least one channel for each of 4 branches", "in_channels", () => new(3));
        Refused<ArgumentOutOfRangeException>("expected a positive number", "reduction_dim", () => new(3, reduction_dim: 0));
        Refused<ArgumentOutOfRangeException>("expected not more than 268435456 weights, got 4 branches of 2147483647×536870911", "in_channels", () => new(int.MaxValue));
        Refused<ArgumentOutOfRangeException>("expected not more than 268435456 weights", "in_channels", () => new(long.MaxValue, reduction_dim: long.MaxValue));

        static void Refused<T>(string message, string name, Func<PyramidPoolingModule> make)
            where T : ArgumentException
        {
            var error = Assert.Throws<T>(make);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Assert.Equal(name, error.ParamName);
        }
    }

    /// <summary>One channel in one branch, weight 1, in evaluation, where nothing is normalised but by ε.</summary>
    private static PyramidPoolingModule Plain(long bins, bool align_corners = true)
    {
        var module = new PyramidPoolingModule(1, [bins], align_corners: align_corners, dtype: ScalarType.Float64);
        using var gradients = no_grad();
        module.get_parameter("features.0.1.weight")!.fill_(1);
        module.eval();
        return module;
    }
}
