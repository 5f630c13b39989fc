using Experiments.Training;
using MultiScale.Data;
using MultiScale.Training;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>How the samples train: sizes, batches, rates, answers.</summary>
[Collection(nameof(AloneCollection))]
public class TrainingTests
{
    private static readonly int[] Sizes = [4, 6, 8];

    [Fact]
    public void An_epoch_has_one_size_and_the_next_the_next()
    {
        using var scope = NewDisposeScope();
        using var pictures = Pictures(10);
        var batches = new SizedBatches(pictures, Sizes, SizeDraw.Epoch, CPU);
        for (var epoch = 0; epoch < 7; epoch++)
        {
            var batch = Assert.Single(batches.Of(tensor(new long[] { 3, 1 }), epoch, new Random(epoch)));
            Assert.Equal([2, 1, Sizes[epoch % 3], Sizes[epoch % 3]], batch.Images.shape);
            Assert.Equal([3L, 1], batch.Labels.data<long>());
        }

        Assert.Equal([(4, 6L), (6, 4L), (8, 4L)], batches.Seen.Select(size => (size.Key, size.Value)));   // seven epochs of two pictures
    }

    [Fact]
    public void A_batch_draws_its_size_among_all()
    {
        using var scope = NewDisposeScope();
        using var pictures = Pictures(10);
        var batches = new SizedBatches(pictures, Sizes, SizeDraw.Batch, CPU);
        var rng = new Random(1);
        var drawn = Enumerable.Range(0, 60).Select(_ => Assert.Single(batches.Of(arange(5), 0, rng)).Images.size(3)).ToList();
        Assert.Equal([4L, 6, 8], drawn.Distinct().Order());
        Assert.Contains(drawn.Zip(drawn.Skip(1)), pair => pair.First != pair.Second);
    }

    [Fact]
    public void A_batch_of_mixed_sizes_is_grouped_and_loses_no_picture()
    {
        using var scope = NewDisposeScope();
        using var pictures = Pictures(40);
        var batches = new SizedBatches(pictures, Sizes, SizeDraw.Image, CPU);
        var groups = batches.Of(arange(40), 0, new Random(2));
        Assert.Equal([4L, 6, 8], groups.Select(group => group.Images.size(3)));
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), groups.SelectMany(group => group.Labels.data<long>()).Order());
        Assert.Equal(groups.Select(group => ((int)group.Images.size(3), group.Labels.size(0))), batches.Seen.Select(size => (size.Key, size.Value)));
        foreach (var (images, labels) in groups)
        {
            Assert.Equal(labels.to(ScalarType.Float32).div(100).data<float>(), images.mean([1, 2, 3]).data<float>(), (one, two) => Math.Abs(one - two) < 1e-6);   // each has its own picture
        }
    }

    [Fact]
    public void Groups_of_a_step_learn_as_one_batch()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (randn(7, 1, 3, 3), tensor(new long[] { 0, 1, 2, 0, 1, 2, 1 }));
        Tensor Trained(params (long From, long Count)[] groups)
        {
            manual_seed(1);
            var network = nn.Sequential(nn.Flatten(), nn.Linear(9, 3));
            ClassifierTraining.Run(
                network, 7, new(3, 7, 0.1, 0, 1), (_, _, _) => [.. groups.Select(group => new Batch(x.narrow(0, group.From, group.Count), y.narrow(0, group.From, group.Count)))],
                _ => { }, (_, _) => { }, default);
            return network.state_dict()["1.weight"].clone();
        }

        Tolerance.AssertClose(Trained((0, 7)), Trained((0, 2), (2, 4), (6, 1)), 1e-4, "weights");
    }

    [Fact]
    public void Training_sees_every_picture_once_an_epoch_reports_and_learns()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var x = randn(64, 1, 4, 4);
        var y = x.mean([1, 2, 3]).gt(0).to(ScalarType.Int64);
        var network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2));
        var (seen, done, epochs) = (new List<long>(), 0.0, new List<int>());
        var curve = ClassifierTraining.Run(
            network, 64, new(20, 16, 0.05, 0, 1),
            (numbers, epoch, _) =>
            {
                if (epoch == 4)
                {
                    seen.AddRange(numbers.data<long>());
                }

                return [new(x.index_select(0, numbers), y.index_select(0, numbers))];
            },
            share => done += share, (epoch, _) => epochs.Add(epoch), default);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (long)i), seen.Order());
        Assert.NotEqual(Enumerable.Range(0, 64).Select(i => (long)i), seen);
        Assert.Equal(1, done, 9);
        Assert.Equal(Enumerable.Range(1, 20), epochs);
        Assert.True(curve.Loss[^1] < 0.4 * curve.Loss[0], $"{curve.Loss[0]:0.00} → {curve.Loss[^1]:0.00}");
        Assert.False(network.training);

        var answers = Predictions.Of(network, y, numbers => x.index_select(0, numbers), default);
        Assert.InRange(answers.Accuracy, 0.95, 1);
        Assert.Equal(y.data<long>().Zip(answers.Labels, (expected, got) => expected == got), answers.Correct);
        Assert.All(answers.Confidence, confidence => Assert.InRange(confidence, 0.5f, 1f));
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_told()
    {
        using var scope = NewDisposeScope();
        var x = full(8, 1, 2, 2, double.NaN, ScalarType.Float32);
        using var network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2));
        var error = Assert.Throws<Experiments.UserException>(() => ClassifierTraining.Run(
            network, 8, new(1, 4, 0.1, 0, 1), (numbers, _, _) => [new(x.index_select(0, numbers), zeros(4, ScalarType.Int64))], _ => { }, (_, _) => { }, default));
        Assert.Equal("epoch 1: the loss is no longer finite (learning rate 0.1)", error.Message);
    }

    [Theory]
    [InlineData(0, 0.05)]
    [InlineData(0.125, 0.525)]
    [InlineData(0.25, 1)]
    [InlineData(0.625, 0.5)]
    [InlineData(1, 0)]
    public void The_rate_rises_for_a_quarter_and_falls_to_nothing(double done, double share) => Assert.Equal(0.3 * share, OneCycle.Rate(done, 0.3), 12);

    /// <summary>Picture i is grey of i / 100, and its label is i.</summary>
    private static SizedPictures Pictures(int count)
    {
        var labels = arange(count).DetachFromDisposeScope();
        using var grey = labels.to(ScalarType.Float32).div(100).view(count, 1, 1, 1);
        return new(8, [new(grey.expand(count, 1, 8, 8).contiguous().DetachFromDisposeScope(), labels, ["all"])]);
    }
}
