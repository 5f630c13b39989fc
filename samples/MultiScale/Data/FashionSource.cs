using static TorchSharp.torch;

namespace MultiScale.Data;

/// <summary>Fashion-MNIST: 28×28 pictures, interpolated to the other sizes; scenes are pasted together of them.</summary>
internal sealed class FashionSource : Source
{
    private const int Smallest = 22;   // pixels of a pasted picture
    private const int Largest = 38;
    private const float Darker = 0.5f;
    private const double Opaque = 6;

    private readonly int seed;
    private readonly string folder;

    /// <param name="mostTrain">Pictures to learn from, at most.</param>
    /// <param name="mostTest">Pictures to test, at most.</param>
    public FashionSource(string folder, long mostTrain, long mostTest, IReadOnlyList<int> testSizes, int seed)
    {
        (this.folder, this.seed, TestSizes) = (folder, seed, testSizes);
        var (train, test) = FashionMnist.Read(folder);
        Train = new(FashionMnist.Side, [First(train, mostTrain)]);
        Test = new(FashionMnist.Side, [First(test, mostTest)]);

        static LabelledPictures First(LabelledPictures all, long most)
        {
            if (all.Count <= most)
            {
                return all;
            }

            using (all)
            {
                return all.First(most);
            }
        }
    }

    public override string Description => $"Fashion-MNIST of {folder}: 28×28 pixels; other sizes are interpolated from it, bilinearly and averaged where they are smaller.";

    public override IReadOnlyList<int> TestSizes { get; }

    public override SizedPictures Train { get; }

    public override SizedPictures Test { get; }

    public override Scene Scene(int height, int width, int objects, bool training, int number)
    {
        using var scope = NewDisposeScope();
        var sceneSeed = SceneSeed.Of(seed, training, number);
        var rng = new Random(sceneSeed);
        var pictures = training ? Train : Test;
        var image = DrawnShapes.Ground(height, width, FashionMnist.Side, sceneSeed).mul_(Darker);
        var placed = new List<SceneObject>();
        for (var attempt = 0; placed.Count < objects && attempt < 50 * objects; attempt++)
        {
            var side = rng.Next(Smallest, Math.Min(Largest, Math.Min(height, width)) + 1);
            var (left, top) = (rng.Next(width - side + 1), rng.Next(height - side + 1));
            var box = new Box(left, top, left + side, top + side);
            if (placed.Any(other => other.Box.IoU(box) > 0))
            {
                continue;
            }

            var picked = tensor(rng.NextInt64(pictures.Count)).view(1);
            var picture = pictures.Images(picked, side);
            var place = image.narrow(2, top, side).narrow(3, left, side);
            place.lerp_(picture, (picture * Opaque).clamp(0, 1));   // black is what is around the clothes
            placed.Add(new((int)pictures.Labels[picked].item<long>(), box));
        }

        return new(image.MoveToOuterDisposeScope(), placed);
    }
}
