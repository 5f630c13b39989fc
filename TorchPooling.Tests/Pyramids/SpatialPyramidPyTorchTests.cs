using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

public class SpatialPyramidPyTorchTests
{
    [PyTorchFact]
    public void Outputs_and_gradients_equal_those_of_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        long[] levels = [1, 2, 3, 4, 7];
        (int H, int W)[] sizes = [(1, 1), (3, 5), (13, 13), (7, 31), (24, 24), (5, 2)];
        var inputs = sizes.Select(size => rand(2, 3, size.H, size.W)).ToList();   // rand has ties in float32: their gradients count too
        var direction = randn(2, 3 * levels.Sum(n => n * n));
        Python.Write(folder.Path, "direction", direction);
        for (var i = 0; i < inputs.Count; i++)
        {
            inputs[i] = (inputs[i] * 8).round().div(8).requires_grad_();
            Python.Write(folder.Path, $"x{i}", inputs[i]);
        }

        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder, sizes = sys.argv[1], eval(sys.argv[2])
            direction = torch.from_numpy(numpy.fromfile(folder + "/direction", "float32")).reshape(2, -1)
            for reduction, pool in ("Max", F.adaptive_max_pool2d), ("Avg", F.adaptive_avg_pool2d):
                for i, (h, w) in enumerate(sizes):
                    x = torch.from_numpy(numpy.fromfile(f"{folder}/x{i}", "float32")).reshape(2, 3, h, w).requires_grad_()
                    y = torch.cat([pool(x, n).flatten(1) for n in (1, 2, 3, 4, 7)], 1)
                    (y * direction).sum().backward()
                    y.detach().numpy().tofile(f"{folder}/y{reduction}{i}")
                    x.grad.numpy().tofile(f"{folder}/g{reduction}{i}")
            """, folder.Path, "[" + string.Join(",", sizes.Select(size => $"({size.H},{size.W})")) + "]");

        foreach (var reduction in Enum.GetValues<BinReduction>())
        {
            for (var i = 0; i < inputs.Count; i++)
            {
                var y = pooling.spatial_pyramid_pool2d(inputs[i], levels, reduction);
                inputs[i].grad?.zero_();
                (y * direction).sum().backward();
                Tolerance.AssertClose(Python.Read(folder.File($"y{reduction}{i}"), y.shape), y, where: $"{reduction} {sizes[i]}");
                Tolerance.AssertClose(Python.Read(folder.File($"g{reduction}{i}"), inputs[i].shape), inputs[i].grad!, where: $"gradient {reduction} {sizes[i]}");
            }
        }
    }
}
