using static TorchSharp.torch;

namespace Experiments.Data;

/// <summary>Fashion-MNIST: 28×28 pictures of clothes in ten classes, 60,000 to learn from and 10,000 to test.</summary>
/// <remarks>Xiao, Rasul, Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, arXiv 1708.07747, 2017.
/// Debian's package <c>dataset-fashion-mnist</c> puts it into /usr/share/datasets/fashion-mnist. Files of MNIST itself have the same form.</remarks>
internal static class FashionMnist
{
    /// <summary>Pixels a side.</summary>
    public const int Side = 28;

    private static readonly string[] Classes =
        ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

    /// <param name="folder">Holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each
    /// with or without .gz.</param>
    /// <exception cref="UserException">A file is missing or broken, pictures have another size, labels another range, or their counts disagree.</exception>
    public static (LabelledPictures Train, LabelledPictures Test) Read(string folder)
    {
        var train = Read(folder, "train");
        try
        {
            return (train, Read(folder, "t10k"));
        }
        catch
        {
            train.Dispose();
            throw;
        }
    }

    private static LabelledPictures Read(string folder, string part)
    {
        var (imagesPath, labelsPath) = (Find(folder, $"{part}-images-idx3-ubyte"), Find(folder, $"{part}-labels-idx1-ubyte"));
        using var bytes = IdxFile.Read(imagesPath, 3);
        using var labels = IdxFile.Read(labelsPath, 1);
        if (bytes.size(0) != labels.size(0))
        {
            throw new UserException($"expected a label for each picture, got {bytes.size(0)} pictures in {imagesPath} and {labels.size(0)} labels in {labelsPath}");
        }

        if (bytes.size(1) != Side || bytes.size(2) != Side)
        {
            throw new UserException($"{imagesPath}: expected pictures of {Side}×{Side}, got {bytes.size(1)}×{bytes.size(2)}");
        }

        using var largest = labels.max();
        if (largest.item<byte>() >= Classes.Length)
        {
            throw new UserException($"{labelsPath}: expected labels from 0 to {Classes.Length - 1}, got {largest.item<byte>()}");
        }

        using var scope = NewDisposeScope();
        return new(
            bytes.unsqueeze(1).to(ScalarType.Float32).div_(255).DetachFromDisposeScope(), labels.to(ScalarType.Int64).DetachFromDisposeScope(), Classes);
    }

    private static string Find(string folder, string name)
    {
        string[] paths = [Path.Combine(folder, name), Path.Combine(folder, $"{name}.gz")];
        return paths.FirstOrDefault(File.Exists)
            ?? throw new UserException($"{folder}: expected the four files of Fashion-MNIST, {name} or {name}.gz is missing");
    }
}
