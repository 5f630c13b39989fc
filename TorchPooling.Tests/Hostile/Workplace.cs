using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>The folder that a sweep's files are in.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public string Folder => folder.Path;

    /// <summary>A file that is none of those that the library reads.</summary>
    public string Text => Existing("text.txt", path => File.WriteAllText(path, "no tensor"));

    public string Empty => Existing("empty.pt", path => File.WriteAllText(path, ""));

    /// <summary>A TorchScript file of one layer, <see cref="Layer"/>'s.</summary>
    public string Script => Existing("layer.pt", path =>
    {
        using var layer = Layer;
        torchscript.save(layer, path, rand(2, 3));
    });

    public string Npy => Existing("rows.npy", path => NpyFile.Write(path, rand(9, 4)));

    public string New => folder.File("new");

    public static nn.Module<Tensor, Tensor> Layer => new ContextGating(3);

    public void Dispose() => folder.Dispose();

    private string Existing(string name, Action<string> write)
    {
        var path = folder.File(name);
        if (!File.Exists(path))
        {
            write(path);
        }

        return path;
    }
}
