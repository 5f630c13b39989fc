using System.Text.Json;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Regions;

/// <summary>Outputs and gradients of torchvision, for boxes of every kind.</summary>
public class RegionsPyTorchTests
{
    private static readonly string[] Kinds = ["any", "halves", "inverted", "empty", "huge", "inside", "many"];

    [PyTorchFact]
    public void Outputs_and_gradients_equal_those_of_torchvision()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var cases = (
            from seed in new long[] { 1, 2, 3 }
            from kind in Kinds
            from scale in new[] { 1, 0.25, 1 / 3.0 }
            from op in Ops(kind)
            select new Run(seed, kind, scale, op)).ToList();
        Assert.True(cases.Count > 600, $"{cases.Count} cases");
        using (var stream = new FileStream(folder.File("in"), FileMode.Create))
        {
            foreach (var run in cases)
            {
                foreach (var tensor in new[] { run.X, run.Boxes, run.Direction })
                {
                    stream.Write(tensor.detach().contiguous().bytes);
                }
            }
        }

        File.WriteAllText(folder.File("cases.json"), JsonSerializer.Serialize(cases.Select(run => run.Described)));
        Python.Run(
            """
            import sys, json, numpy, torch
            from torchvision import ops
            folder = sys.argv[1]
            source, target = open(folder + "/in", "rb"), open(folder + "/out", "wb")
            def read(*shape):
                return torch.from_numpy(numpy.fromfile(source, "float32", int(numpy.prod(shape))).reshape(shape))
            for op, shape, boxes, size, scale, ratio, aligned in json.load(open(folder + "/cases.json")):
                x, rois = read(*shape).requires_grad_(), read(boxes, 5)
                y = {"roi_align": lambda: ops.roi_align(x, rois, size, scale, ratio, aligned),
                     "ps_roi_align": lambda: ops.ps_roi_align(x, rois, size, scale, ratio),
                     "roi_pool": lambda: ops.roi_pool(x, rois, size, scale),
                     "ps_roi_pool": lambda: ops.ps_roi_pool(x, rois, size, scale)}[op]()
                (y * read(*y.shape)).sum().backward()
                y.detach().numpy().tofile(target)
                x.grad.numpy().tofile(target)
            """, folder.Path);

        var (theirs, start) = (Python.Read(folder.File("out"), -1), 0L);
        foreach (var run in cases)
        {
            using var inner = NewDisposeScope();
            var x = run.X.requires_grad_();
            var y = run.Pool(x, run.Boxes);
            (y * run.Direction).sum().backward();
            Tolerance.AssertClose(Next(y.shape), y, 5e-6, $"{run}");
            var gradient = Next(x.shape);
            if (run.Op.Name == "ps_roi_pool" && run.Kind != "inside")   // its backward counts the last row and column, its forward does not
            {
                continue;
            }

            // torchvision sums the same numbers one by one and not bin by bin
            Tolerance.AssertClose(gradient, x.grad!, 2e-5, $"gradient of {run}");
        }

        Assert.Equal(start, theirs.numel());

        Tensor Next(long[] shape)
        {
            var count = shape.Aggregate(1L, (product, size) => product * size);
            start += count;
            return theirs.narrow(0, start - count, count).reshape(shape);
        }
    }

    [PyTorchFact]
    public void Boxes_of_a_pyramid_of_maps_are_read_where_torchvision_reads_them()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        long[] sizes = [40, 20, 10, 5];
        var maps = sizes.Select((size, k) => Seeded.Normal(k, [2, 3, size, size]).requires_grad_()).ToArray();
        // Sides of 2⁻³ to 2³ times the canonical scale, some exactly powers of two, where the level changes.
        Tensor[] boxes = [.. Enumerable.Range(0, 2).Select(i =>
        {
            var corner = (Seeded.Normal(10 + i, [60, 2]) * 40).round();
            var side = pow(2, (Seeded.Normal(20 + i, [60, 2]) * 3).round().div(2).clamp(-3, 3)) * 64;
            var signs = tensor(new float[] { 1, 1, -1, 1, 1, -1, -1, -1 }).reshape(4, 2).repeat(15, 1);   // inverted on one axis, the other, both
            return cat([corner, corner + (side * signs)], 1);
        })];
        var direction = Seeded.Normal(30, [120, 3, 3, 4]);
        foreach (var (name, value) in maps.Select((map, k) => ($"m{k}", map)).Concat(boxes.Select((each, i) => ($"b{i}", each))).Append(("d", direction)))
        {
            Python.Write(folder.Path, name, value);
        }

        Python.Run(
            """
            import sys, numpy, torch
            from torchvision import ops
            folder = sys.argv[1]
            def read(name, *shape):
                return torch.from_numpy(numpy.fromfile(f"{folder}/{name}", "float32").reshape(shape))
            boxes = [read("b0", -1, 4), read("b1", -1, 4)]
            for ratio in 2, -1:
                maps = {str(k): read(f"m{k}", 2, 3, n, n).requires_grad_() for k, n in enumerate((40, 20, 10, 5))}
                y = ops.MultiScaleRoIAlign(list(maps), (3, 4), ratio, canonical_scale=64, canonical_level=4)(maps, boxes, [(160, 160)] * 2)
                (y * read("d", 120, 3, 3, 4)).sum().backward()
                y.detach().numpy().tofile(f"{folder}/y{ratio}")
                for k, m in maps.items():
                    m.grad.numpy().tofile(f"{folder}/g{k}{ratio}")
            """, folder.Path);

        foreach (var ratio in new long[] { 2, -1 })
        {
            var y = pooling.multi_scale_roi_align(maps, boxes, (3, 4), [0.25, 0.125, 1 / 16.0, 1 / 32.0], ratio, 64, 4);
            Tolerance.AssertClose(Python.Read(folder.File($"y{ratio}"), y.shape), y, 5e-6);
            var rows = cat([.. boxes.Select((each, i) => nn.functional.pad(each, [1, 0], TorchSharp.PaddingModes.Constant, i))]);
            Tolerance.AssertClose(y, pooling.multi_scale_roi_align(maps, rows, (3, 4), [0.25, 0.125, 1 / 16.0, 1 / 32.0], ratio, 64), 0);
            (y * direction).sum().backward();
            for (var k = 0; k < maps.Length; k++)
            {
                Tolerance.AssertClose(Python.Read(folder.File($"g{k}{ratio}"), maps[k].shape), maps[k].grad!, 2e-5, $"gradient of map {k}");
                maps[k].grad!.zero_();
            }
        }
    }

    private static IEnumerable<Op> Ops(string kind)
    {
        yield return new("roi_pool");
        if (kind == "many")
        {
            yield break;
        }

        yield return new("ps_roi_pool");
        foreach (var ratio in new long[] { -1, 1, 2, 3, 6 })
        {
            yield return new("roi_align", ratio, false);
            if (ratio > 0 || kind is "any" or "huge")   // torchvision raises for some inverted boxes there, and divides 0 by 0
            {
                yield return new("roi_align", ratio, true);
                yield return new("ps_roi_align", ratio, true);
            }
        }
    }

    private sealed record Op(string Name, long Ratio = 0, bool Aligned = false);

    private sealed record Run(long Seed, string Kind, double Scale, Op Op)
    {
        /// <summary>Many boxes are maxima of windows, few are read pixel by pixel.</summary>
        private long Count => Kind == "many" ? 400 : 16;

        public bool HasPlanes => Op.Name.StartsWith("ps", StringComparison.Ordinal);

        /// <summary>Quarters, so that maxima are tied.</summary>
        public Tensor X => (Seeded.Normal(Seed, [2, HasPlanes ? 12 : 3, 9, 13]) * 4).round().div(4);

        public Tensor Direction => Seeded.Normal(Seed + 1000, [Count, HasPlanes ? 2 : 3, 3, 2]);

        public object[] Described => [Op.Name, X.shape, Count, new[] { 3, 2 }, Scale, Op.Ratio, Op.Aligned];

        public Tensor Boxes
        {
            get
            {
                var corners = ((Seeded.Normal(Seed + 2000, [Count, 4]) * 5) + 5) / Scale;   // many reach over the map
                if (Kind == "halves")
                {
                    corners = (corners * 2).round().div(2);
                }

                if (Kind != "inverted")
                {
                    var (one, other) = (corners.slice(1, 0, 2, 1), corners.slice(1, 2, 4, 1));
                    corners = cat([one.minimum(other), Kind == "empty" ? one.minimum(other) : one.maximum(other)], 1);
                }

                if (Kind == "inside")   // at most on the last row and column but one, those of a PSRoIPool
                {
                    corners = corners.maximum(tensor(0f)).minimum(tensor(new float[] { 11, 7, 11, 7 }) / Scale);
                }

                var images = arange(Count).remainder(2).to(ScalarType.Float32).unsqueeze(1);
                return cat([images, Kind == "huge" ? corners * 30 : corners], 1);
            }
        }

        public Tensor Pool(Tensor x, Tensor boxes) => Op.Name switch
        {
            "roi_align" => pooling.roi_align(x, boxes, (3, 2), Scale, Op.Ratio, Op.Aligned),
            "ps_roi_align" => pooling.ps_roi_align(x, boxes, (3, 2), Scale, Op.Ratio),
            "roi_pool" => pooling.roi_pool(x, boxes, (3, 2), Scale),
            _ => pooling.ps_roi_pool(x, boxes, (3, 2), Scale),
        };
    }
}
