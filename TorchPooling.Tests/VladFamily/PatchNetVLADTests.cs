using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

public class PatchNetVLADTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Every_patch_is_NetVLAD_of_the_cropped_map(bool normalize_input, bool bias)
    {
        using var scope = NewDisposeScope();
        var (layer, netvlad) = Pair([2, 4, 1], [1, 2, 3], normalize_input, bias);
        var x = Seeded.Normal(1, [2, 3, 5, 7], ScalarType.Float64);
        var y = layer.call(x);
        var patch = 0;
        foreach (var (size, stride) in new[] { (2, 1), (4, 2), (1, 3) })
        {
            for (var row = 0; row + size <= 5; row += stride)
            {
                for (var column = 0; column + size <= 7; column += stride)
                {
                    Tolerance.AssertClose(netvlad.call(x[.., .., row..(row + size), column..(column + size)]), y.select(1, patch++), where: $"{size} at {row}, {column}");
                }
            }
        }

        Assert.Equal((4 * 6) + (1 * 2) + (2 * 3), patch);
        Assert.Equal([2, patch, layer.output_length], y.shape);
    }

    [Fact]
    public void One_patch_as_large_as_the_map_is_NetVLAD_with_its_weights_loaded_by_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var netvlad = new NetVLAD(4, 3, bias: true);
        var layer = new PatchNetVLAD(4, 3, [6], bias: true);
        netvlad.save(folder.File("weights"));
        layer.load(folder.File("weights"));
        var x = Seeded.Normal(4, [2, 3, 6, 6]);
        Tolerance.AssertClose(netvlad.call(x).unsqueeze(1), layer.call(x));
        Tolerance.AssertClose(netvlad.assignment(x), layer.assignment(x));
    }

    [Theory]
    [InlineData(-26)]
    [InlineData(-30)]
    [InlineData(-40)]
    [InlineData(-800)]
    public void A_cluster_that_takes_next_to_nothing_weighs_as_in_NetVLAD(double bias)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (layer, netvlad) = Pair([2], [2], false, true);
        foreach (var module in new ClusterPooling[] { layer, netvlad })
        {
            using var _ = no_grad();
            module.state_dict()["conv.weight"].zero_();
            module.state_dict()["conv.bias"][0] = bias;   // a share of e^bias: sums about, and far, below 1e-12
        }

        var x = Seeded.Normal(2, [1, 3, 2, 2], ScalarType.Float64);
        Tolerance.AssertClose(netvlad.call(x), layer.call(x).select(1, 0));
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(netvlad.call(x), script.call(x).select(1, 0));
    }

    [Fact]
    public void In_single_precision_a_patch_is_as_exact_as_NetVLAD_of_it_alone()
    {
        using var scope = NewDisposeScope();
        var layer = new PatchNetVLAD(8, 16, [2], bias: true);
        Seeded.Start(layer, 1);
        var x = Seeded.Normal(10, [1, 16, 40, 60]) + 5;   // integral sums of offset maps lose digits with every row
        var y = layer.call(x);
        layer.to(ScalarType.Float64);
        Tolerance.AssertClose(layer.call(x.to(ScalarType.Float64)), y.to(ScalarType.Float64), 1e-5);
    }

    [Fact]
    public void Masked_positions_count_as_if_they_were_not_there()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (layer, netvlad) = Pair([2], [1], true, false);
        var x = Seeded.Normal(3, [1, 3, 3, 4], ScalarType.Float64);
        var mask = ones(1, 3, 4, dtype: ScalarType.Bool);
        mask[0, .., 2..] = false;
        var hole = x.clone();
        hole[0, .., .., 2..] = double.NaN;
        hole.requires_grad_();
        var y = layer.forward(hole, mask);
        Tolerance.AssertClose(netvlad.call(x[.., .., 0..2, 0..2]), y.select(1, 0));
        Tolerance.AssertClose(netvlad.call(x[.., .., 1..3, 1..2]), y.select(1, 4));   // row 1, column 1: its right half is masked
        Tolerance.AssertClose(zeros_like(y.select(1, 2)), y.select(1, 2), 0);
        y.sum().backward();
        Assert.True(hole.grad!.isfinite().all().ToBoolean());

        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = jit.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        Tolerance.AssertClose(y, script.call(hole, mask));
        var weights = Seeded.Normal(11, [1, 3, 4], ScalarType.Float64).abs();
        Tolerance.AssertClose(layer.forward(x, weights), script.call(x, weights));
    }

    [Fact]
    public void Positions_are_row_major_one_tensor_for_each_size()
    {
        using var scope = NewDisposeScope();
        using var layer = new PatchNetVLAD(2, 3, [2, 3], [1, 2]);
        var positions = layer.positions(3, 5);
        Assert.Equal([0L, 0, 0, 1, 0, 2, 0, 3, 1, 0, 1, 1, 1, 2, 1, 3], positions[0].data<long>().ToArray());
        Assert.Equal([0L, 0, 0, 2], positions[1].data<long>().ToArray());
        Assert.Equal([8, 2], positions[0].shape);
        Assert.Equal(10, layer.call(rand(1, 3, 3, 5)).size(1));
    }

    [Fact]
    public void Mutual_matches_by_hand()
    {
        using var scope = NewDisposeScope();
        var query = tensor(new float[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0.6f, 0.8f, 0 }, { 0, 0, 0 } });
        var candidates = tensor(new float[,,]
        {
            { { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 1 } },              // 0 ↔ 1, 1 ↔ 0; 2 is nearest to 0, which is nearer to 1
            { { 0.6f, 0.8f, 0 }, { 0, 0, 0 }, { 0, 0, -1 } },       // 2 ↔ 0; zeros match nothing
            { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } },
            { { -1, -0.1f, 0 }, { 0, 0, 0 }, { -0.9f, -0.95f, 0 } }, // nearest though negative: 0 ↔ 2, 1 ↔ 0
        });
        Assert.Equal(
            [1L, 0, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, 2, 0, -1, -1], pooling.mutual_matches(query, candidates).data<long>().ToArray());
    }

    [Fact]
    public void Mutual_matches_equal_scalar_loops_in_blocks_too()
    {
        using var scope = NewDisposeScope();
        var query = nn.functional.normalize(Seeded.Normal(5, [30, 400]), dim: 1);
        var candidates = nn.functional.normalize(Seeded.Normal(6, [50, 1100, 400]), dim: 2);   // 38 images to a block
        var matches = pooling.mutual_matches(query, candidates);
        foreach (var image in new[] { 0, 37, 38, 49 })
        {
            var similarity = candidates[image].matmul(query.t()).data<float>().ToArray();
            for (var i = 0; i < 30; i++)
            {
                var there = Enumerable.Range(0, 1100).MaxBy(j => similarity[j * 30 + i]);
                var back = Enumerable.Range(0, 30).MaxBy(q => similarity[there * 30 + q]);
                Assert.Equal(back == i ? there : -1, matches[image, i].ToInt64());
            }
        }
    }

    [Fact]
    public void The_spatial_score_by_hand()
    {
        using var scope = NewDisposeScope();
        var positions = tensor(new long[,] { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 1, 2 } });   // 2×3: largest displacements 1 and 2
        var matches = tensor(new long[,]
        {
            { 0, 1, 2, 3, 4, 5 },         // all in place: 6·(1 + 4)/6
            { 1, 2, -1, 4, 5, -1 },       // all one to the right: 4·(1 + 4)/6
            { 1, 1, -1, -1, -1, -1 },     // displacements 1 and 0, mean ½: 2·(1 + 1.5²)/6
            { -1, -1, -1, -1, -1, -1 },
            { 3, -1, -1, 0, -1, -1 },     // one down, one up: 2·((1 − 1)² + 4)/6
            { 4, -1, -1, -1, -1, -1 },    // one alone is its mean: (1 + 4)/6
        });
        Tolerance.AssertClose(tensor(new[] { 5, 10 / 3f, 6.5f / 6, 0, 8 / 6f, 5 / 6f }), pooling.spatial_score(matches, positions));

        // Other positions of the candidates: two columns further right the largest displacement is 4.
        var right = positions + tensor(new long[] { 0, 2 });
        Tolerance.AssertClose(tensor(new[] { 1.0f + 16 }), pooling.spatial_score(matches[0..1], positions, right));
        Assert.Equal(ScalarType.Float64, pooling.spatial_score(matches, positions.to(ScalarType.Float64)).dtype);
    }

    [Fact]
    public void The_scores_of_a_layer_are_the_weighted_sums_over_its_sizes()
    {
        using var scope = NewDisposeScope();
        var layer = new PatchNetVLAD(4, 3, [2, 4]);
        Seeded.Start(layer, 1);
        var maps = Seeded.Normal(7, [6, 3, 6, 9]);
        maps[1] = maps[0];
        maps[2, .., .., 1..] = maps[0, .., .., ..8];   // the same scene, moved by one column
        var patches = layer.call(maps);
        var scores = layer.spatial_scores(patches[0], patches[1..], 6, 9, [0.25, 2]);

        Tolerance.AssertClose(tensor((0.25f * (16 + 49)) + (2 * (4 + 25))), scores[0], 1e-5);   // 5×8 patches of 2, 3×6 of 4
        Assert.True(scores[0].ToSingle() > scores[1].ToSingle());
        Assert.True(scores[1].ToSingle() > scores[2..].max().ToSingle());
        var grids = layer.positions(6, 9);
        var expected = zeros(5);
        foreach (var (start, count, grid, weight) in new[] { (0L, 40L, grids[0], 0.25), (40L, 18L, grids[1], 2) })
        {
            var matches = pooling.mutual_matches(patches[0].narrow(0, start, count), patches[1..].narrow(1, start, count));
            expected += pooling.spatial_score(matches, grid) * weight;
        }

        Tolerance.AssertClose(expected, scores);
        Tolerance.AssertClose(layer.spatial_scores(patches[0], patches[1..], 6, 9, [0.5, 0.5]), layer.spatial_scores(patches[0], patches[1..], 6, 9));
        Assert.Equal([0], layer.spatial_scores(patches[0], patches.narrow(0, 0, 0), 6, 9).shape);
    }

    [Fact]
    public void Scoring_leaves_no_tensor()
    {
        using var layer = new PatchNetVLAD(4, 3, [1, 2]);
        using var query = rand(8 + 3, 5);
        using var candidates = rand(3, 8 + 3, 5);
        layer.spatial_scores(query, candidates, 2, 4).Dispose();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using var scores = layer.spatial_scores(query, candidates, 2, 4);
        Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Wrong_arguments_are_named()
    {
        using var scope = NewDisposeScope();
        var layer = new PatchNetVLAD(4, 3, [2, 3]);
        Refused<ArgumentException>("expected one or more positive patch sizes, got []", () => new PatchNetVLAD(4, 3, []));
        Refused<ArgumentException>("expected one or more positive patch sizes, got [2, 0]", () => new PatchNetVLAD(4, 3, [2, 0]));
        Refused<ArgumentException>("expected 2 positive strides, one for each patch size, got [1]", () => new PatchNetVLAD(4, 3, [2, 3], [1]));
        Refused<ArgumentException>("expected 2 positive strides, one for each patch size, got [1, 0]", () => new PatchNetVLAD(4, 3, [2, 3], [1, 0]));
        Refused<ArgumentException>("expected a map that holds patches of 3×3, got 4×2 (H×W) (Parameter 'x')", () => layer.call(rand(1, 3, 4, 2)));
        Refused<ArgumentException>("expected a map that holds patches of 3×3, got 2×9 (H×W) (Parameter 'height')", () => layer.positions(2, 9));
        Refused<ArgumentException>("expected a map that holds patches of 3×3, got 5×2 (H×W) (Parameter 'width')", () => layer.positions(5, 2));
        Refused<ArgumentException>("expected a feature map (N, C, H, W), got 3 dimensions (1, 3, 9)", () => layer.call(rand(1, 3, 9)));
        Refused<ArgumentException>("expected the shape (1, 4, 4), got 3 dimensions (1, 4, 5)", () => layer.forward(rand(1, 3, 4, 4), ones(1, 4, 5)));
        var (query, candidates) = (rand(13, 6), rand(2, 13, 6));   // of maps 4×4: 9 + 4
        Refused<ArgumentException>("expected 2 weights, one for each patch size, got 1", () => layer.spatial_scores(query, candidates, 4, 4, [1]));
        Refused<ArgumentException>("expected the parts of one image (18, F), got (13, 6)", () => layer.spatial_scores(query, candidates, 5, 4));
        Refused<ArgumentException>("expected the parts of images (B, 13, 6), got (2, 12, 6)", () => layer.spatial_scores(query, candidates.narrow(1, 0, 12), 4, 4));
        Refused<ArgumentException>("expected the parts of images (B, P, 6), got (2, 13, 5)", () => pooling.mutual_matches(query, candidates.narrow(2, 0, 5)));
        Refused<ArgumentException>("expected the parts of one image (Q, F), got (6)", () => pooling.mutual_matches(query[0], candidates));
        Refused<ArgumentException>("expected Float32 on cpu as the parameters have, got Float64", () => pooling.mutual_matches(query, candidates.to(ScalarType.Float64)));
        var (matches, positions) = (zeros(2, 5, dtype: ScalarType.Int64), zeros(5, 2));
        Refused<ArgumentException>("expected matches (B, Q) of int64, got Float32 (2, 5)", () => pooling.spatial_score(rand(2, 5), positions));
        Refused<ArgumentException>("expected the shape (5, 2), got 2 dimensions (4, 2)", () => pooling.spatial_score(matches, zeros(4, 2)));
        Refused<ArgumentException>("expected positions (P, 2) with P ≥ 1, got 2 dimensions (3, 3)", () => pooling.spatial_score(matches, positions, zeros(3, 3)));
        Refused<ArgumentException>("expected positions (P, 2) with P ≥ 1, got 1 dimensions (3)", () => pooling.spatial_score(matches, positions, zeros(3)));
        Refused<ArgumentException>("expected positions (P, 2) with P ≥ 1, got 2 dimensions (0, 2)", () => pooling.spatial_score(matches, positions, zeros(0, 2)));
        Refused<ArgumentException>("expected matches below 5, got 7", () => pooling.spatial_score(matches + 7, positions));

        static void Refused<T>(string message, Action action)
            where T : ArgumentException =>
            Assert.Contains(message, Assert.Throws<T>(action).Message, StringComparison.Ordinal);
    }

    [PyTorchFact]
    public void Files_of_the_four_layers_compute_the_same_in_PyTorch()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var x = Seeded.Normal(8, [2, 3, 4, 5]);
        var vectors = Seeded.Normal(9, [4, 6]);
        var mask = (Seeded.Normal(12, [2, 4, 5]) > -0.5).to(ScalarType.Float32);
        Python.Write(folder.Path, "x", x);
        Python.Write(folder.Path, "vectors", vectors);
        Python.Write(folder.Path, "mask", mask);
        var gating = Saved(new ContextGating(6, batch_norm: true), "gating", vectors);
        var nextvlad = Saved(new NeXtVLAD(4, 3, 2, 2), "nextvlad", x);
        var patches = Saved(new PatchNetVLAD(4, 3, [2, 3], [1, 2]), "patches", x);
        var salad = Saved(new Salad(3, 5, 4, hidden: 6, dropout: 0), "salad", x);
        Python.Run(
            """
            import sys, numpy, torch
            def read(name, *shape): return torch.from_numpy(numpy.fromfile(sys.argv[1] + "/" + name, dtype=numpy.float32).reshape(shape))
            def run(name, *x): torch.jit.load(sys.argv[1] + "/" + name + ".pt").eval()(*x).detach().numpy().tofile(sys.argv[1] + "/" + name + ".out")
            x, mask, vectors = read("x", 2, 3, 4, 5), read("mask", 2, 4, 5), read("vectors", 4, 6)
            run("gating", vectors)
            run("nextvlad", x, mask)
            run("patches", x, mask)
            run("salad", x)
            """, folder.Path);
        Same(gating.call(vectors), "gating");
        Same(nextvlad.forward(x, mask), "nextvlad");
        Same(patches.forward(x, mask), "patches");
        Same(salad.call(x), "salad");

        T Saved<T>(T module, string name, Tensor example)
            where T : nn.Module<Tensor, Tensor>
        {
            module.eval();
            torchscript.save(module, folder.File(name + ".pt"), example);
            return module;
        }

        void Same(Tensor expected, string name) =>
            Tolerance.AssertClose(expected, Python.Read(folder.File(name + ".out"), expected.shape), 1e-5, name);
    }

    private static (PatchNetVLAD Layer, NetVLAD NetVLAD) Pair(long[] sizes, long[] strides, bool normalize_input, bool bias)
    {
        var layer = new PatchNetVLAD(4, 3, sizes, strides, normalize_input, bias, dtype: ScalarType.Float64);
        var netvlad = new NetVLAD(4, 3, normalize_input, bias, dtype: ScalarType.Float64);
        Seeded.Start(layer, 1);
        netvlad.load_state_dict(layer.state_dict());
        return (layer, netvlad);
    }
}
