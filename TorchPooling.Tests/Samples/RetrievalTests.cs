using PlaceRecognition.Data;
using PlaceRecognition.Retrieval;
using PlaceRecognition.Training;
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
    public void Queries_with_a_picture_within_10_m_and_enough_beyond_25_m_are_trained()
    {
        var neighborhood = new Neighborhood(new PlaceSet("train", At(0, 8, 20, 60, 90, 120), At(1, 500, 85)));
        using var two = neighborhood.CreateMiner(Options(negatives: 3));
        Assert.Equal([0, 2], two.Trainable);   // the second query has no picture within 10 m
        Assert.Equal([3, 4, 5], Enumerable.Range(0, 6).Where(d => two.IsNegative(0, d)));
        using var four = neighborhood.CreateMiner(Options(negatives: 4));
        Assert.Equal([2], four.Trainable);     // the first has three beyond 25 m, the third has four
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
