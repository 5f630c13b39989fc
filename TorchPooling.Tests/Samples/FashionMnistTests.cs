using Experiments;
using Experiments.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

public class FashionMnistTests
{
    private const int Pixels = 28 * 28;

    [Fact]
    public void Pictures_and_labels_belong_together()
    {
        using var folder = new TemporaryFolder();
        Write(folder, train: 3, test: 2);
        var (train, test) = FashionMnist.Read(folder.Path);
        using (train)
        using (test)
        {
            Assert.Equal((3, 2), (train.Count, test.Count));
            Assert.Equal([3, 1, 28, 28], train.Images.shape);
            Assert.Equal([0L, 1, 2], train.Labels.data<long>().ToArray());
            Assert.Equal((ScalarType.Float32, ScalarType.Int64), (train.Images.dtype, train.Labels.dtype));
            Assert.Equal([0f, 1f / 255, 2f / 255], train.Images[0, 0, 0].data<float>().Take(3));   // the first row counts from 0
            Assert.Equal(1f, train.Images.max().item<float>());
            Assert.Equal((10, "sneaker"), (train.Classes.Count, train.Classes[7]));
        }
    }

    [Fact]
    public void A_label_out_of_range_is_told()
    {
        using var folder = new TemporaryFolder();
        Write(folder, train: 3, test: 2);
        IdxFileTests.Write(folder, "t10k-labels-idx1-ubyte", IdxFileTests.Idx([2], [9, 10]), gzip: false);
        Fails(folder, $"{folder.File("t10k-labels-idx1-ubyte")}: expected labels from 0 to 9, got 10");
    }

    [Fact]
    public void Counts_that_disagree_are_told()
    {
        using var folder = new TemporaryFolder();
        Write(folder, train: 3, test: 2);
        IdxFileTests.Write(folder, "train-labels-idx1-ubyte", IdxFileTests.Idx([4], [1, 2, 3, 4]), gzip: false);
        Fails(folder, $"expected a label for each picture, got 3 pictures in {folder.File("train-images-idx3-ubyte.gz")} and 4 labels in {folder.File("train-labels-idx1-ubyte")}");
    }

    [Fact]
    public void Pictures_of_another_size_are_told()
    {
        using var folder = new TemporaryFolder();
        Write(folder, train: 3, test: 2);
        IdxFileTests.Write(folder, "t10k-images-idx3-ubyte.gz", IdxFileTests.Idx([2, 7, 4], new byte[56]), gzip: true);
        Fails(folder, $"{folder.File("t10k-images-idx3-ubyte.gz")}: expected pictures of 28×28, got 7×4");
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte")]
    [InlineData("t10k-labels-idx1-ubyte")]
    public void A_missing_file_is_named(string name)
    {
        using var folder = new TemporaryFolder();
        Write(folder, train: 3, test: 2);
        File.Delete(folder.File(name));
        File.Delete(folder.File($"{name}.gz"));
        Fails(folder, $"{folder.Path}: expected the four files of Fashion-MNIST, {name} or {name}.gz is missing");
    }

    [FashionMnistFact]
    public void The_published_files_hold_each_class_as_often()
    {
        var (train, test) = FashionMnist.Read(FashionMnistFactAttribute.Folder);
        using (train)
        using (test)
        {
            using var scope = NewDisposeScope();
            Assert.Equal([60_000, 1, 28, 28], train.Images.shape);
            Assert.Equal([10_000, 1, 28, 28], test.Images.shape);
            Assert.All(train.Labels.bincount(null).data<long>(), count => Assert.Equal(6000, count));
            Assert.All(test.Labels.bincount(null).data<long>(), count => Assert.Equal(1000, count));
            Assert.Equal((0.2860f, 0.3530f), (train.Images.mean().item<float>(), train.Images.std().item<float>()), (one, two) =>
                Math.Abs(one.Item1 - two.Item1) < 1e-4 && Math.Abs(one.Item2 - two.Item2) < 1e-4);   // as published with it
        }
    }

    /// <summary>It is told, and no tensor is left.</summary>
    private static void Fails(TemporaryFolder folder, string message)
    {
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Assert.Equal(message, Assert.Throws<UserException>(() => FashionMnist.Read(folder.Path)).Message);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    /// <summary>Four files, images under gzip; labels count from 0.</summary>
    internal static void Write(TemporaryFolder folder, uint train, uint test)
    {
        foreach (var (part, count) in new[] { ("train", train), ("t10k", test) })
        {
            var pixels = Enumerable.Range(0, (int)count * Pixels).Select(i => (byte)i).ToArray();
            IdxFileTests.Write(folder, $"{part}-images-idx3-ubyte.gz", IdxFileTests.Idx([count, 28, 28], pixels), gzip: true);
            IdxFileTests.Write(folder, $"{part}-labels-idx1-ubyte", IdxFileTests.Idx([count], [.. Enumerable.Range(0, (int)count).Select(i => (byte)(i % 10))]), gzip: false);
        }
    }
}
