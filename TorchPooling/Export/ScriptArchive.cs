using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The zip archive in which libtorch reads a TorchScript module: class source, pickled object tree, tensor bytes.</summary>
internal static class ScriptArchive
{
    private const long ElementsAtOnce = 1 << 22;   // bounds the bytes that are in managed reach at one time

    public static void Write(string path, nn.Module module)
    {
        var classes = new ScriptClasses();
        var (pickle, tensors) = Pickle.Write(classes.Object(module, ""));

        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Entry(archive, "data.pkl", pickle);
        Entry(archive, "code/__torch__.py", Encoding.UTF8.GetBytes(classes.Source));
        Entry(archive, "constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
        Entry(archive, "version", "10\n"u8);
        for (var i = 0; i < tensors.Count; i++)
        {
            TensorEntry(archive, $"data/{i}", tensors[i]);
        }
    }

    private static void Entry(ZipArchive archive, string name, ReadOnlySpan<byte> bytes)
    {
        using var stream = Open(archive, name);
        stream.Write(bytes);
    }

    private static void TensorEntry(ZipArchive archive, string name, Tensor tensor)
    {
        using var stream = Open(archive, name);
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().flatten();
        for (long start = 0; start < flat.numel(); start += ElementsAtOnce)
        {
            using var part = flat.narrow(0, start, Math.Min(ElementsAtOnce, flat.numel() - start));
            stream.Write(part.bytes);
        }
    }

    private static Stream Open(ZipArchive archive, string name) =>
        archive.CreateEntry("model/" + name, CompressionLevel.NoCompression).Open();
}
