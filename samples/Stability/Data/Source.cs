using static TorchSharp.torch;

namespace Stability.Data;

/// <summary>The pictures to learn from and to test, of a side that three poolings halve without a rest.</summary>
/// <param name="Train">Pictures (N, 1, S, S).</param>
/// <param name="Test">Pictures that no training saw.</param>
/// <param name="Fine">The first of the test's pictures before they were averaged to their size: (n, 1, F·S, F·S).</param>
/// <param name="Description">What the report says of them.</param>
internal sealed record Source(LabelledPictures Train, LabelledPictures Test, Tensor Fine, string Description) : IDisposable
{
    private const int MostFine = 128;
    private const int DrawnSide = 24;
    private const int DrawnFiner = 4;
    private const int Portion = 1000;      // pictures that are large at one time
    private const int FashionBorder = 2;   // 28 and twice that are 32
    private const int Seed = 1;            // the pictures are the same for all seeds of networks

    public int Side => (int)Train.Images.size(3);

    /// <summary>F, how many times as large pictures were drawn; 1 where they are as they are.</summary>
    public int Finer => (int)Fine.size(3) / Side;

    /// <summary>Fine pictures in the size of the others.</summary>
    public Tensor Coarse(Tensor fine) => Finer == 1 ? fine.clone() : LabelledPictures.Resize(fine, Side);

    /// <summary>The first of so many pictures each.</summary>
    public static Source Open(string? folder, int train, int test)
    {
        if (folder is null)
        {
            return new(
                Drawn(train, first: 0), Drawn(test, first: train), Large(Math.Min(MostFine, test), train).Images,
                $"Shapes and glyphs of {DrawnShapes.Classes.Count} classes, drawn by the sample on cluttered ground, {DrawnSide}×{DrawnSide} pixels, averaged from {DrawnFiner * DrawnSide}×{DrawnFiner * DrawnSide}. "
                + "They are changed before they are averaged: of a change of the small pictures, what interpolation takes from them would pass for its effect.");
        }

        var (allTrain, allTest) = FashionMnist.Read(folder);
        using (allTrain)
        using (allTest)
        {
            var tests = Bordered(allTest, test);
            return new(
                Bordered(allTrain, train), tests, tests.First(MostFine).Images,
                $"Fashion-MNIST of {folder}, with {FashionBorder} black pixels around the pictures of 28×28, which makes them 32×32.");
        }
    }

    public void Dispose()
    {
        Train.Dispose();
        Test.Dispose();
        Fine.Dispose();
    }

    private static LabelledPictures Drawn(int count, int first)
    {
        using var scope = NewDisposeScope();
        var (images, labels) = (new List<Tensor>(), new List<Tensor>());
        for (var done = 0; done < count; done += Portion)
        {
            using var large = Large(Math.Min(Portion, count - done), first + done);
            images.Add(LabelledPictures.Resize(large.Images, DrawnSide));
            labels.Add(large.Labels.alias());
        }

        return new(cat(images).MoveToOuterDisposeScope(), cat(labels).MoveToOuterDisposeScope(), DrawnShapes.Classes);
    }

    private static LabelledPictures Large(int count, int first) => DrawnShapes.Draw(count, DrawnFiner * DrawnSide, Seed, first);

    private static LabelledPictures Bordered(LabelledPictures all, int count)
    {
        using var first = all.First(count);
        return first with
        {
            Images = nn.functional.pad(first.Images, [FashionBorder, FashionBorder, FashionBorder, FashionBorder]),
            Labels = first.Labels.clone(),
        };
    }
}
