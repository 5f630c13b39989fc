using MultiScale.Data;
using MultiScale.Search;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Samples;

/// <summary>Boxes, suppression and counting of the search, by hand.</summary>
public class ObjectSearchTests
{
    [Theory]
    [InlineData(0, 0, 10, 10, 1)]
    [InlineData(5, 0, 15, 10, 50.0 / 150)]
    [InlineData(5, 5, 10, 10, 25.0 / 100)]
    [InlineData(10, 0, 20, 10, 0)]
    [InlineData(30, 30, 40, 40, 0)]
    public void Overlap_is_intersection_over_union(double left, double top, double right, double bottom, double expected)
    {
        var (one, two) = (new Box(0, 0, 10, 10), new Box(left, top, right, bottom));
        Assert.Equal(expected, one.IoU(two), 12);
        Assert.Equal(expected, two.IoU(one), 12);
    }

    [Fact]
    public void Boxes_slide_size_by_size_row_by_row_and_their_crops_with_them()
    {
        using var scope = NewDisposeScope();
        var boxes = new SlidingBoxes(Height: 10, Width: 12, Sizes: [8, 4, 11], Step: 4);   // 11 finds no room
        Assert.Equal(
            [new(0, 0, 8, 8), new(4, 0, 12, 8), new(0, 0, 4, 4), new(4, 0, 8, 4), new(8, 0, 12, 4), new(0, 4, 4, 8), new(4, 4, 8, 8), new(8, 4, 12, 8)],
            boxes.All);

        var image = arange(120, dtype: ScalarType.Float32).view(1, 1, 10, 12);
        var crops = boxes.Crops(image).SelectMany(size => size.unbind()).ToList();
        Assert.Equal(boxes.All.Length, crops.Count);
        foreach (var (box, crop) in boxes.All.Zip(crops))
        {
            var expected = image[0].slice(1, (long)box.Top, (long)box.Bottom, 1).slice(2, (long)box.Left, (long)box.Right, 1);
            Assert.True(expected.equal(crop).all().item<bool>());
        }

        Assert.Equal([2f, 4, 0, 12, 8], SlidingBoxes.Rows([boxes.All[1]], image: 2).data<float>());
    }

    [Fact]
    public void Of_those_that_overlap_the_surest_stays_whatever_its_class()
    {
        Detection[] all =
        [
            new(1, new(2, 0, 12, 10), 0.8), new(2, new(0, 0, 10, 10), 0.9), new(1, new(9, 9, 19, 19), 0.3), new(1, new(50, 0, 60, 10), 0.2), new(3, new(8, 8, 18, 18), 0.4),
        ];
        Assert.Equal([0.9, 0.4, 0.2], Detection.Best(all).Select(found => found.Score));   // 0.8 overlaps 0.9 by 80/120, 0.4 by 4/196; 0.3 overlaps 0.4 by 81/119
    }

    [Fact]
    public void An_object_is_found_once_by_its_class_and_half_of_it()
    {
        using var image = zeros(1, 1, 40, 80);
        var scene = new Scene(image, [new(1, new(0, 0, 10, 10)), new(2, new(20, 0, 30, 10)), new(1, new(40, 0, 50, 10))]);
        var score = SceneScore.Of(scene,
        [
            new(1, new(0, 0, 10, 10), 0.7),
            new(1, new(1, 0, 11, 10), 0.9),   // 90/110 of the first, and surer: the one above comes too late
            new(3, new(20, 0, 30, 10), 0.8),   // another class
            new(1, new(44, 0, 54, 10), 0.6),   // 60/140, less than half
        ]);
        Assert.Equal([(0.9, (int?)0), (0.8, null), (0.7, null), (0.6, null)], score.Found.Select(item => (item.Found.Score, item.Object)));
        Assert.Equal((4, 1, 3), SceneScore.Count([score], 0.5));
        Assert.Equal((1, 1, 3), SceneScore.Count([score], 0.9));
        Assert.Equal((0, 0, 3), SceneScore.Count([score], 0.95));
        Assert.Equal([2, 1], score.Missed(0.5).Select(item => item.Label));
        Assert.Equal(3, score.Missed(0.95).Count());

        var quality = new SearchQuality(4, 1, 3);
        Assert.Equal((0.25, 1.0 / 3), (quality.Precision, quality.Recall));
        Assert.Equal(Math.Sqrt(0.25 * 0.75 / 4), quality.PrecisionError, 12);
        Assert.Equal((0, 0), (new SearchQuality(0, 0, 3).Precision, new SearchQuality(0, 0, 3).PrecisionError));
    }

    [Fact]
    public void Answers_agree_over_all_boxes_and_over_those_with_an_object()
    {
        using var scope = NewDisposeScope();
        var one = tensor(new[,] { { 0.1f, 0.2f, 0.7f }, { 0.0f, 0.4f, 0.6f }, { 0.8f, 0.1f, 0.1f }, { 0.1f, 0.6f, 0.3f } });      // ground, ground, 0, 1
        var other = tensor(new[,] { { 0.1f, 0.1f, 0.8f }, { 0.6f, 0.0f, 0.4f }, { 0.8f, 0.1f, 0.1f }, { 0.1f, 0.3f, 0.6f } });    // ground, 0, 0, ground
        var agreement = Agreement.Of(one, other);
        Assert.Equal((0.5, 3L, 1.0 / 3), (agreement.Same, agreement.ObjectBoxes, agreement.SameObjects));
        Assert.Equal((0.1 + 0.1 + 0.6 + 0.4 + 0.2 + 0.3 + 0.3) / 12, agreement.MeanDifference, 1e-6);
        Assert.Equal((1, 0L, null), (Agreement.Of(one[..2], one[..2]).Same, Agreement.Of(one[..2], one[..2]).ObjectBoxes, Agreement.Of(one[..2], one[..2]).SameObjects));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pasted_pictures_stand_where_their_boxes_are(bool training)
    {
        using var folder = new TemporaryFolder();
        FashionMnistTests.Write(folder, train: 16, test: 12);   // all different
        using var source = new FashionSource(folder.Path, 100, 100, [28], seed: 4);
        using var scene = source.Scene(96, 128, 4, training, 7);
        using var again = source.Scene(96, 128, 4, training, 7);
        using var other = source.Scene(96, 128, 4, !training, 7);
        using var scope = NewDisposeScope();
        Assert.True(scene.Image.equal(again.Image).all().item<bool>());
        Assert.False(scene.Image.equal(other.Image).all().item<bool>());
        Assert.Equal([1, 1, 96, 128], scene.Image.shape);
        Assert.NotEmpty(scene.Objects);
        foreach (var (label, box) in scene.Objects)
        {
            Assert.InRange(box.Right - box.Left, 22, 38);
            Assert.True(box.Left >= 0 && box.Top >= 0 && box.Right <= 128 && box.Bottom <= 96);
            var side = (int)(box.Right - box.Left);
            var inside = scene.Image.slice(2, (long)box.Top, (long)box.Bottom, 1).slice(3, (long)box.Left, (long)box.Right, 1);
            var pictures = training ? source.Train : source.Test;
            var all = pictures.Images(arange(pictures.Count), side);
            var bright = all > 0.17;   // where a picture hides the ground
            var differences = ((all - inside).abs() * bright).sum([1, 2, 3]) / bright.sum([1, 2, 3]);
            Assert.InRange(differences.min().item<float>(), 0, 1e-5);
            Assert.Equal(label, pictures.Labels[differences.argmin()].item<long>() % 10);
        }
    }
}
