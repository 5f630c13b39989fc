using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.VladFamily;

/// <summary>Masks, weights and sets of descriptors, for every layer of the family that gives one vector for them all.</summary>
public class MaskTests
{
    public static TheoryData<Case> Layers => new(Registry.Cases.Where(item => item.Create() is ClusterPooling and not PatchNetVLAD));

    [Theory, MemberData(nameof(Layers))]
    public void A_set_of_descriptors_is_a_map_flattened(Case item)
    {
        using var scope = NewDisposeScope();
        var layer = Double(item);
        var x = randn(2, 3, 4, 5, dtype: ScalarType.Float64);
        Tolerance.AssertClose(layer.call(x), layer.call(x.flatten(2)), 1e-12);
        Assert.Equal(layer.output_length, layer.call(x).size(1));
    }

    [Theory, MemberData(nameof(Layers))]
    public void What_is_masked_may_be_anything_and_changes_nothing(Case item)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var layer = Double(item);
        var x = randn(2, 3, 4, 5, dtype: ScalarType.Float64);
        var expected = cat([layer.call(x[0..1, .., 0..3, 0..4]), layer.call(x[1..2, .., 0..2, 0..5])]);
        var padded = full_like(x, double.NaN);
        var mask = zeros(2, 4, 5, dtype: ScalarType.Bool);
        padded[0, .., 0..3, 0..4] = x[0, .., 0..3, 0..4];
        mask[0, 0..3, 0..4] = true;
        padded[1, .., 0..2, 0..5] = x[1, .., 0..2, 0..5];
        mask[1, 0..2, 0..5] = true;
        Tolerance.AssertClose(expected, layer.forward(padded, mask), 1e-11);
        Tolerance.AssertClose(expected, layer.forward(padded.flatten(2), mask.flatten(1).to(ScalarType.Float32)), 1e-11);

        // No gradient reaches what is masked, and all others are finite.
        padded.requires_grad_();
        layer.forward(padded, mask).square().sum().backward();
        Assert.True(padded.grad!.isfinite().all().ToBoolean());
        Assert.Equal(0, padded.grad.masked_fill(mask.unsqueeze(1), 0).abs().sum().ToDouble());

        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        script.eval();
        Tolerance.AssertClose(expected, script.call(padded.detach(), mask), 1e-11);
    }

    [Theory, MemberData(nameof(Layers))]
    public void A_large_batch_is_its_images_one_by_one_with_their_gradients(Case item)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var layer = Double(item);
        var x = Seeded.Normal(1, [3, 3, 400, 500], ScalarType.Float64);   // 1.8 million numbers: a slice of two images and a rest
        var mask = Seeded.Normal(2, [3, 400, 500]) > 0;
        torchscript.save(layer, folder.File("m.pt"), x[..1]);
        using var script = torchscript.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        var channels_last = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        var (expected, gradient) = Pass(x, leaf => cat([.. leaf.split(1).Select((image, i) => layer.forward(image, mask.narrow(0, i, 1)))]));
        foreach (var forward in new Func<Tensor, Tensor>[] { leaf => layer.forward(leaf, mask), leaf => script.call(leaf, mask) })
        {
            foreach (var input in new[] { x, channels_last })
            {
                var (y, other) = Pass(input, forward);
                Tolerance.AssertClose(expected, y, 1e-9);
                Tolerance.AssertClose(gradient / gradient.abs().max(), other / gradient.abs().max(), 1e-8);
            }
        }

        static (Tensor Output, Tensor Gradient) Pass(Tensor input, Func<Tensor, Tensor> forward)
        {
            var leaf = input.detach().requires_grad_();
            var y = forward(leaf);
            (y * arange(1, y.numel() + 1, dtype: y.dtype).view_as(y).sin()).sum().backward();
            return (y.detach(), leaf.grad!);
        }
    }

    [Theory, MemberData(nameof(Layers))]
    public void A_weight_counts_a_descriptor_so_many_times(Case item)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var layer = Double(item);
        var x = randn(1, 3, 6, dtype: ScalarType.Float64);
        var weights = tensor(new[,] { { 1.0, 2, 0, 1, 3, 1 } });
        var repeated = x.index_select(2, tensor(new long[] { 0, 1, 1, 3, 4, 4, 4, 5 }));
        Tolerance.AssertClose(layer.call(repeated), layer.forward(x, weights), 1e-11);
        torchscript.save(layer, folder.File("m.pt"), x);
        using var script = torchscript.load<Tensor, Tensor, Tensor>(folder.File("m.pt"));
        script.eval();
        Tolerance.AssertClose(layer.call(repeated), script.call(x, weights), 1e-11);
    }

    [Theory, MemberData(nameof(Layers))]
    public void An_image_that_is_masked_throughout_gives_zeros(Case item)
    {
        using var scope = NewDisposeScope();
        var layer = Double(item);
        var y = layer.forward(full([1, 3, 2, 2], double.NaN, dtype: ScalarType.Float64), zeros(1, 2, 2, dtype: ScalarType.Bool));
        Assert.Equal(0, y.abs().sum().ToDouble());
    }

    [Theory, MemberData(nameof(Layers))]
    public void Masks_of_other_shapes_and_types_are_refused(Case item)
    {
        using var scope = NewDisposeScope();
        var layer = (ClusterPooling)item.Create();
        Refused("expected the shape (2, 4, 5), got 3 dimensions (2, 5, 4)", rand(2, 3, 4, 5), rand(2, 5, 4));
        Refused("expected the shape (2, 20), got 3 dimensions (2, 4, 5)", rand(2, 3, 20), rand(2, 4, 5));
        Refused("expected a mask of bool or floating-point weights, got Int64 (2, 20)", rand(2, 3, 20), ones(2, 20, dtype: ScalarType.Int64));

        void Refused(string message, Tensor x, Tensor mask) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => layer.forward(x, mask)).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Layers))]
    public void Initialize_finds_the_clusters_of_the_descriptors(Case item)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var layer = Double(item);
        var centers = eye(3, dtype: ScalarType.Float64).repeat(2, 1) * tensor(new double[] { 1, 1, 1, -1, -1, -1 }).unsqueeze(1);
        var points = centers.repeat(300, 1) + randn([1800, 3], dtype: ScalarType.Float64, generator: generator) * 0.05;
        var start = layer.Initialize(points);
        if (layer is Vlad)
        {
            Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), (start.Alpha, start.Contrast));
        }
        else
        {
            Assert.InRange(start.Contrast, 99.9, 100.1);
            Assert.True(start.Alpha > 0);
        }

        Assert.Equal(1, start.UsedClusters);
        Assert.InRange(start.Entropy, 0.8, 1);
        Assert.InRange(start.QuantizationError, 0.001, 1);
        Assert.True(layer.call(rand(1, 3, 4, 4, dtype: ScalarType.Float64)).isfinite().all().ToBoolean());
    }

    private static ClusterPooling Double(Case item)
    {
        var module = (ClusterPooling)item.Create();
        module.to(ScalarType.Float64);
        module.eval();
        return module;
    }
}
