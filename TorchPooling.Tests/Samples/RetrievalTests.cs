using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

public class RetrievalTests
{
    [Fact]
    public void Recall_counts_queries_with_a_right_answer_among_the_first_N()
    {
        using var scope = NewDisposeScope();
        var database = At(0, 100, 200);
        var queries = At(25, 126, 200);   // 25 m: still right; 26 m: wrong
        var answers = tensor(new float[,] { { 0.1f, 0.9f, 0.5f }, { 0.9f, 0.5f, 0.1f }, { 0.1f, 0.2f, 0.9f } });   // similarity to each
        var recall = Recall.Of(answers, eye(3), queries, database);
        Assert.Equal([1, 2, 0], recall.Nearest[0]);
        Assert.Equal([1 / 3.0, 1 / 3.0, 2 / 3.0], recall.Curve);
        Assert.Equal([false, false, true], recall.FirstRight);
        Assert.Equal(2 / 3.0, recall.At(10));   // deeper than the database
        Assert.Equal(1, Recall.Lost(new PlaceSet("test", database, At(25, 226, 125, 225))));   // 226: 26 m from the last
    }

    [Fact]
    public void The_triplet_loss_of_a_hand_computed_batch()
    {
        using var scope = NewDisposeScope();
        var queries = tensor(new float[,] { { 1, 0 }, { 0, 1 } });
        var database = tensor(new[,] { { 0.8f, 0.6f }, { 0.6f, 0.8f }, { -1, 0 } });
        var positives = tensor(new long[] { 0, 1 });
        var negatives = tensor(new[,] { { false, true, true }, { true, false, false } });

        // d² = 2 − 2·cos. Query 1: 0.4 to its positive, 0.8 and 4 to its negatives: max(0, 0.4 + 0.5 − 0.8) = 0.1.
        // Query 2: 0.4 to its positive, 0.8 to its negative: 0.1. Mean 0.1.
        Assert.Equal(0.1, TripletLoss.Of(queries, database, positives, negatives, 0.5).ToDouble(), 1e-6);
    }

    [Fact]
    public void Tuples_take_the_nearest_potential_positive_and_the_hardest_negatives()
    {
        using var scope = NewDisposeScope();
        var places = new PlaceSet("train", At(0, 8, 20, 60, 90, 120), At(1, 500));
        var miner = new TupleMiner(places, Options(negatives: 2));
        Assert.Equal([0], miner.Trainable);   // the second query has no picture within 10 m

        // Similarities to query 0: the picture at 20 m, neither positive nor negative, is the most alike.
        var database = tensor(new[] { 0.1f, 0.5f, 0.9f, 0.2f, 0.8f, 0.4f }).unsqueeze(1);
        var tuple = miner.Mine(0, ones(2, 1), database, new Random(1));
        Assert.Equal(1, tuple.Positive);
        Assert.Equal([4, 5], tuple.Negatives);
        Assert.Equal([4, 5, 3], miner.Remembered[0]);
        Assert.False(miner.IsNegative(0, 2));
        Assert.True(miner.IsNegative(0, 3));
    }

    [Fact]
    public void The_learning_rate_is_halved_after_each_third()
    {
        var options = Options(negatives: 1) with { Epochs = 6, LearningRate = 8 };
        Assert.Equal([8, 8, 4, 4, 2, 2], Enumerable.Range(0, 6).Select(options.LearningRateOf));
    }

    private static TrainingOptions Options(int negatives) => new(["avg"], 2, 1, 10, negatives, 0.001, 1);

    private static Place[] At(params double[] east) => Array.ConvertAll(east, x => new Place($"{x}", x, 0, _ => { }));
}
