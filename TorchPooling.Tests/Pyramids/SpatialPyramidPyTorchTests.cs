using static TorchSharp.torch;

namespace TorchPooling.Tests.Pyramids;

public class SpatialPyramidPyTorchTests
{
    private static readonly long[] Levels = [1, 2, 3, 4, 7];

    [PyTorchFact]
    public void Sequences_give_the_outputs_and_gradients_of_PyTorch() => Compare(
        [[1], [5], [13], [31], [24], [2]], x => pooling.spatial_pyramid_pool1d(x, Levels), x => pooling.spatial_pyramid_pool1d(x, Levels, BinReduction.Avg));

    [PyTorchFact]
    public void Outputs_and_gradients_equal_those_of_PyTorch() => Compare(
        [[1, 1], [3, 5], [13, 13], [7, 31], [24, 24], [5, 2]],
        x => pooling.spatial_pyramid_pool2d(x, Levels), x => pooling.spatial_pyramid_pool2d(x, Levels, BinReduction.Avg));

    [PyTorchFact]
    public void Volumes_give_the_outputs_and_gradients_of_PyTorch() => Compare(
        [[1, 1, 1], [3, 5, 2], [6, 6, 6], [2, 9, 4], [8, 1, 11]],
        x => pooling.spatial_pyramid_pool3d(x, Levels), x => pooling.spatial_pyramid_pool3d(x, Levels, BinReduction.Avg));

    private static void Compare(long[][] sizes, Func<Tensor, Tensor> max, Func<Tensor, Tensor> avg)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var direction = Seeded.Normal(1, [2, 3 * Levels.Sum(n => (long)Math.Pow(n, sizes[0].Length))]);
        Python.Write(folder.Path, "direction", direction);
        var inputs = sizes.Select((size, i) =>
        {
            var x = (Seeded.Normal(i, [2, 3, .. size]) * 4).round().div(4).requires_grad_();   // coarse, so that maxima are tied
            Python.Write(folder.Path, $"x{i}", x);
            return x;
        }).ToList();

        Python.Run(
            """
            import sys, numpy, torch, torch.nn.functional as F
            folder, sizes = sys.argv[1], eval(sys.argv[2])
            direction = torch.from_numpy(numpy.fromfile(folder + "/direction", "float32")).reshape(2, -1)
            for reduction in "max", "avg":
                pool = getattr(F, f"adaptive_{reduction}_pool{len(sizes[0])}d")
                for i, size in enumerate(sizes):
                    x = torch.from_numpy(numpy.fromfile(f"{folder}/x{i}", "float32")).reshape(2, 3, *size).requires_grad_()
                    y = torch.cat([pool(x, n).flatten(1) for n in (1, 2, 3, 4, 7)], 1)
                    (y * direction).sum().backward()
                    y.detach().numpy().tofile(f"{folder}/y{reduction}{i}")
                    x.grad.numpy().tofile(f"{folder}/g{reduction}{i}")
            """, folder.Path, "[" + string.Join(",", sizes.Select(size => $"[{string.Join(",", size)}]")) + "]");

        foreach (var (name, pool) in new[] { ("max", max), ("avg", avg) })
        {
            for (var i = 0; i < inputs.Count; i++)
            {
                var where = $"{name} {string.Join('×', sizes[i])}";
                var y = pool(inputs[i]);
                inputs[i].grad?.zero_();
                (y * direction).sum().backward();
                Tolerance.AssertClose(Python.Read(folder.File($"y{name}{i}"), y.shape), y, where: where);
                Tolerance.AssertClose(Python.Read(folder.File($"g{name}{i}"), inputs[i].shape), inputs[i].grad!, where: $"gradient {where}");
            }
        }
    }
}
