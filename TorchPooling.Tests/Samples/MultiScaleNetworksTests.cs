using Experiments.Data;
using MultiScale.Data;
using MultiScale.Model;
using MultiScale.Search;
using MultiScale.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>The networks that are compared, and what is left of a training that ends early.</summary>
[Collection(nameof(AloneCollection))]
public class MultiScaleNetworksTests
{
    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    [Fact]
    public void All_methods_start_with_the_same_backbone()
    {
        using var scope = NewDisposeScope();
        var networks = Method.All.Select(method => method.Network(10, 1, CPU)).ToList();
        var otherSeed = Method.All[0].Network(10, 2, CPU);
        var (backbones, other) = (networks.Select(Backbone).ToList(), Backbone(otherSeed));
        Assert.NotEmpty(backbones[0]);
        Assert.All(backbones, weights => Assert.Equal(backbones[0].Keys, weights.Keys));
        Assert.All(backbones, weights => Assert.All(weights, item => Assert.True(item.Value.equal(backbones[0][item.Key]).all().item<bool>(), item.Key)));
        Assert.False(other["features.0.weight"].equal(backbones[0]["features.0.weight"]).all().item<bool>());
        GC.KeepAlive((networks, otherSeed));   // a collected BatchNorm2d frees its weights, whoever holds them

        static Dictionary<string, Tensor> Backbone(nn.Module network) => network.named_children().Single(child => child.module is VggBackbone).module.state_dict();
    }

    [Fact]
    public void A_single_picture_of_the_smallest_size_trains_batch_norm()
    {
        using var scope = NewDisposeScope();
        var options = new RunOptions(null, true, 1, 1, [8], SizeDraw.Image, 0);
        options.Check();
        var network = Method.All[^1].Network(10, 1, CPU);
        network.train();
        network.call(rand(1, 1, 8, 8));
        Assert.All(network.state_dict(), item => Assert.True(item.Value.to(ScalarType.Float32).isfinite().all().item<bool>(), item.Key));
    }

    [Fact]
    public void A_comparison_that_is_stopped_leaves_no_tensor()
    {
        using var source = new DrawnSource(40, 10, [28], [28], 28, seed: 1);
        using var stop = new CancellationTokenSource();
        var comparison = new Comparison(source, new(null, true, 2, 1, [28], SizeDraw.Batch, 0), new(2, 16, 0.01, 0, 1), CPU, null, stop.Token);
        var (before, done) = (Live, 0.0);
        Assert.Throws<OperationCanceledException>(() => comparison.Run(
            Method.All[^1],
            share =>
            {
                done += share;
                if (done > 0.5)
                {
                    stop.Cancel();
                }
            },
            _ => { }));
        Assert.Equal(before, Live);
        Assert.Equal(0.75, done, 9);   // three of four steps
    }

    [Fact]
    public void A_search_that_is_stopped_leaves_no_tensor()
    {
        using var source = new DrawnSource(2, 2, [28], [28], 28, seed: 1);
        using var network = (SppNet)Method.All[^1].Network(10, 1, CPU);
        using var stop = new CancellationTokenSource();
        var (before, steps) = (Live, 0.0);
        Assert.Throws<OperationCanceledException>(() => new SearchTraining(source, new(Steps: 9, Scenes: 1), 1, CPU, stop.Token).Run(
            network,
            step =>
            {
                steps += step;
                stop.Cancel();
            },
            _ => { }));
        Assert.Equal(before, Live);
        Assert.Equal(1, steps);
    }

    [Fact]
    public void A_search_that_diverges_is_told_at_its_step_and_leaves_no_tensor()
    {
        using var source = new Broken(from: 8);   // four scenes a step: the third step
        using var network = (SppNet)Method.All[^1].Network(10, 1, CPU);
        var (before, steps) = (Live, 0.0);
        var error = Assert.Throws<Experiments.UserException>(() => new SearchTraining(source, new(Steps: 9, Scenes: 1), 1, CPU, default).Run(network, step => steps += step, _ => { }));
        Assert.Equal("search, step 3: the loss is no longer finite (learning rate 0.005)", error.Message);
        Assert.Equal(before, Live);
        Assert.Equal(2, steps);
    }

    /// <summary>Scenes of noise, from a number on of NaN.</summary>
    private sealed class Broken(int from) : Source
    {
        public override string Description => "";

        public override IReadOnlyList<int> TestSizes => [];

        public override SizedPictures Train { get; } = new(8, [new(zeros(1, 1, 8, 8), zeros(1, ScalarType.Int64), DrawnShapes.Classes)]);

        public override SizedPictures Test { get; } = new(8, []);

        public override Scene Scene(int height, int width, int objects, bool training, int number) =>
            new(full(1, 1, height, width, number < from ? 0.5 : double.NaN, ScalarType.Float32), [new(3, new(20, 20, 44, 44))]);
    }
}
