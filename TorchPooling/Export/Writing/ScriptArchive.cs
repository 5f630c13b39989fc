using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>The zip archive in which libtorch reads a TorchScript module: class source, pickled object tree, tensor bytes.</summary>
internal static class ScriptArchive
{
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);   // equal models are equal files

    private const long ElementsAtOnce = 1 << 22;   // bounds the bytes that are in managed reach at one time

    /// <param name="path">A file that is not there yet.</param>
    /// <param name="classes">The model.</param>
    public static void Write(string path, ScriptClasses classes)
    {
        var (pickle, tensors) = Pickle.Write(classes.Root);
        using var file = new FileStream(path, FileMode.CreateNew);
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            Write(archive, pickle, classes.Source, tensors);
        }

        file.Flush(flushToDisk: true);   // before the file gets its name, or a power cut may leave the name without the file
    }

    private static void Write(ZipArchive archive, byte[] pickle, string source, IReadOnlyList<Tensor> tensors)
    {
        Entry(archive, "data.pkl", pickle);
        Entry(archive, "code/__torch__.py", Encoding.UTF8.GetBytes(source));
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
        var flat = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous().flatten();
        flat = tensor.is_complex() ? flat.view_as_real().flatten() : flat;
        for (long start = 0; start < flat.numel(); start += ElementsAtOnce)
        {
            using var part = flat.narrow(0, start, Math.Min(ElementsAtOnce, flat.numel() - start));
            stream.Write(part.bytes);
        }
    }

    private static Stream Open(ZipArchive archive, string name)
    {
        var entry = archive.CreateEntry("model/" + name, CompressionLevel.NoCompression);
        entry.LastWriteTime = Epoch;
        return entry.Open();
    }
}
