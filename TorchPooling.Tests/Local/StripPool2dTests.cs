using static TorchSharp.torch;

namespace TorchPooling.Tests.Local;

public class StripPool2dTests
{
    [Fact]
    public void Without_weights_every_gate_is_half_open()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, 4, 5);
        var y = pooling.strip_pool2d(x, zeros(3, 3, 3, 1), zeros(3, 3, 1, 3), zeros(3, 3, 1, 1));
        Tolerance.AssertClose(x / 2, y, 0);
    }

    [Fact]
    public void A_value_by_hand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 1, 3, 5, 7 }).reshape(1, 1, 2, 2);   // row means 2, 6; column means 3, 5
        var rows = tensor(new double[] { 1, 0, 0 }).reshape(1, 1, 3, 1);   // the row above
        var columns = tensor(new double[] { 0, 1, 0 }).reshape(1, 1, 1, 3);
        var y = pooling.strip_pool2d(x, rows, columns, ones(1, 1, 1, 1, dtype: ScalarType.Float64), bias: tensor(new double[] { -4 }));
        double[] logits = [3 - 4, 5 - 4, 2 + 3 - 4, 2 + 5 - 4];
        var expected = tensor(logits).sigmoid().reshape(1, 1, 2, 2) * x;
        Tolerance.AssertClose(expected, y);
    }

    [Fact]
    public void It_is_the_formula()
    {
        using var scope = NewDisposeScope();
        var module = new StripPool2d(2, dtype: ScalarType.Float64);
        var x = randn(1, 2, 3, 4, dtype: ScalarType.Float64);
        var state = module.state_dict();
        var (rows, columns) = (x.mean([3]), x.mean([2]));
        var expected = zeros_like(x);
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 4; j++)
            {
                var y = (Strip(rows, i, "conv1") + Strip(columns, j, "conv2")).relu();
                var gate = (state["conv3.weight"][.., .., 0, 0].mv(y) + state["conv3.bias"]).sigmoid();
                expected[0, .., i, j] = gate * x[0, .., i, j];
            }
        }

        Tolerance.AssertClose(expected, module.call(x));

        Tensor Strip(Tensor means, int place, string name)
        {
            var (weight, sum) = (state[$"{name}.weight"].flatten(2), state[$"{name}.bias"].clone());
            for (var k = -1; k <= 1; k++)
            {
                if (place + k >= 0 && place + k < means.size(2))
                {
                    sum = sum + weight[.., .., k + 1].mv(means[0, .., place + k]);
                }
            }

            return sum;
        }
    }

    [Fact]
    public void A_pixel_reaches_its_row_and_column_and_their_neighbours()
    {
        using var scope = NewDisposeScope();
        var ones3 = ones(1, 1, 3, 1, dtype: ScalarType.Float64);
        var x = ones(1, 1, 7, 8, dtype: ScalarType.Float64);
        var before = Pool();
        x[0, 0, 2, 5] += 1;
        var changed = (Pool() - before)[0, 0] != 0;
        for (var i = 0; i < 7; i++)
        {
            for (var j = 0; j < 8; j++)
            {
                Assert.Equal(Math.Abs(i - 2) <= 1 || Math.Abs(j - 5) <= 1, changed[i, j].ToBoolean());
            }
        }

        Tensor Pool() => pooling.strip_pool2d(x, ones3, ones3.transpose(2, 3), ones(1, 1, 1, 1, dtype: ScalarType.Float64)).clone();
    }

    [Fact]
    public void Its_parameters_are_named_as_the_authors_name_them()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(
            ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "conv3.weight", "conv3.bias"],
            new StripPool2d(2).state_dict().Keys);
        string[] norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
        string[] expected =
            ["conv1.weight", "conv2.weight", "conv3.weight", "conv3.bias", .. norm.Select(name => $"bn1.{name}"), .. norm.Select(name => $"bn2.{name}")];
        Assert.Equal(expected.Order(), new StripPool2d(2, batch_norm: true).state_dict().Keys.Order());
    }

    [PyTorchFact]
    public void With_batch_norm_outputs_gradients_and_statistics_equal_those_of_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var module = new StripPool2d(4, batch_norm: true);
        Seeded.Start(module, 3);
        var x = randn(3, 4, 5, 6).requires_grad_();
        var direction = randn(3, 4, 5, 6);
        foreach (var (name, value) in module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)).Append(("x", x)).Append(("direction", direction)))
        {
            Python.Write(folder.Path, name, value);
        }

        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder = sys.argv[1]
            def load(name, *shape):
                return torch.from_numpy(numpy.fromfile(f"{folder}/{name}", "float32")).reshape(shape)
            conv1 = torch.nn.Conv2d(4, 4, (3, 1), padding=(1, 0), bias=False)
            conv2 = torch.nn.Conv2d(4, 4, (1, 3), padding=(0, 1), bias=False)
            conv3 = torch.nn.Conv2d(4, 4, 1)
            model = torch.nn.ModuleDict(dict(conv1=conv1, conv2=conv2, conv3=conv3, bn1=torch.nn.BatchNorm2d(4), bn2=torch.nn.BatchNorm2d(4)))
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    parameter.copy_(load(name, *parameter.shape))
            x, direction = load("x", 3, 4, 5, 6).requires_grad_(), load("direction", 3, 4, 5, 6)
            for mode in "train", "eval":
                model.train(mode == "train")
                model.zero_grad()
                x.grad = None
                rows = model["bn1"](conv1(F.adaptive_avg_pool2d(x, (5, 1)))).expand(-1, -1, 5, 6)
                columns = model["bn2"](conv2(F.adaptive_avg_pool2d(x, (1, 6)))).expand(-1, -1, 5, 6)
                y = x * torch.sigmoid(conv3(F.relu(rows + columns)))
                (y * direction).sum().backward()
                y.detach().numpy().tofile(f"{folder}/y.{mode}")
                x.grad.numpy().tofile(f"{folder}/x.{mode}")
                for name, parameter in model.named_parameters():
                    parameter.grad.numpy().tofile(f"{folder}/{name}.{mode}")
            model["bn1"].running_var.numpy().tofile(f"{folder}/var")
            """, folder.Path);

        foreach (var mode in new[] { "train", "eval" })
        {
            module.train(mode == "train");
            module.zero_grad();
            x.grad?.zero_();
            var y = module.call(x);
            (y * direction).sum().backward();
            Tolerance.AssertClose(Python.Read(folder.File($"y.{mode}"), y.shape), y, 1e-5, mode);
            foreach (var (name, value) in module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)).Append(("x", x)))
            {
                Tolerance.AssertClose(Python.Read(folder.File($"{name}.{mode}"), value.shape), value.grad!, 1e-5, $"{name} in {mode}");
            }
        }

        Tolerance.AssertClose(Python.Read(folder.File("var"), 4), module.state_dict()["bn1.running_var"], 1e-5);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>("channels", () => new StripPool2d(0));
        Refused<ArgumentOutOfRangeException>("of memory, got 4 times Float32 (2147483647, 2147483647, 3)", () => new StripPool2d(int.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>("channels", () => new StripPool2d(long.MaxValue));
        Refused<ArgumentException>("expected a floating-point dtype, got Int64", () => new StripPool2d(2, dtype: ScalarType.Int64));
        Refused<ArgumentException>("expected two or more rows and columns to normalise over in training, got (1, 2, 1, 5)", () => new StripPool2d(2, true).call(rand(1, 2, 1, 5)));
        Refused<ArgumentException>("expected two or more rows and columns to normalise over in training, got (0, 2, 4, 5)", () => new StripPool2d(2, true).call(rand(0, 2, 4, 5)));
        var (x, rows, columns, weight) = (rand(1, 2, 3, 4), rand(2, 2, 3, 1), rand(2, 2, 1, 3), rand(2, 2, 1, 1));
        Refused<ArgumentException>("expected the shape (2, 2, 3, 1), got 4 dimensions (2, 2, 1, 3) (Parameter 'row_weight')", () => pooling.strip_pool2d(x, columns, columns, weight));
        Refused<ArgumentException>("expected the shape (2, 2, 1, 3), got 4 dimensions (2, 2, 3, 1) (Parameter 'column_weight')", () => pooling.strip_pool2d(x, rows, rows, weight));
        Refused<ArgumentException>("expected the shape (2), got 1 dimensions (3) (Parameter 'bias')", () => pooling.strip_pool2d(x, rows, columns, weight, bias: rand(3)));
        Refused<ArgumentException>("expected Float32 on cpu, got Float64 on cpu (Parameter 'weight')", () => pooling.strip_pool2d(x, rows, columns, weight.to(ScalarType.Float64)));
        Assert.Throws<ArgumentNullException>("row_weight", () => pooling.strip_pool2d(x, null!, columns, weight));

        static void Refused<T>(string message, Func<object> act)
            where T : Exception => Assert.Contains(message, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }
}
