using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace TorchPooling.Tests.Export;

/// <summary>Writes TorchScript archives entry by entry, sound or not. The sound one has class M with a parameter w of four
/// numbers and a forward that returns its input.</summary>
internal static class HandMadeScript
{
    public const string Source =
        """
        class M(Module):
          __parameters__ = ["w", ]
          __buffers__ = []
          training : bool
          w : Tensor
          def forward(self: __torch__.M,
            x: Tensor) -> Tensor:
            return x

        """;

    /// <summary>Writes the sound archive with other entries where <paramref name="entries"/> has them; null leaves one out.</summary>
    public static string Write(string path, params (string Name, byte[]? Bytes)[] entries)
    {
        var all = new List<(string Name, byte[]? Bytes)>
        {
            ("data.pkl", Pickle(Module())), ("code/__torch__.py", Ascii(Source)), ("constants.pkl", Pickle(Ascii(")"))), ("version", Ascii("10\n")),
            ("data/0", new byte[16]),
        };
        foreach (var entry in entries)
        {
            all.RemoveAll(other => other.Name == entry.Name);
            all.Add(entry);
        }

        return WriteAll(path, all);
    }

    public static string WriteAll(string path, IEnumerable<(string Name, byte[]? Bytes)> entries)
    {
        File.Delete(path);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, bytes) in entries.Where(entry => entry.Bytes is not null))
        {
            using var stream = archive.CreateEntry("m/" + name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }

        return path;
    }

    public static byte[] Module(params (string Name, byte[] Value)[] attributes)
    {
        var all = new List<(string Name, byte[] Value)> { ("training", [0x88]), ("w", Tensor()) };
        foreach (var attribute in attributes)
        {
            all.RemoveAll(other => other.Name == attribute.Name);
            all.Add(attribute);
        }

        return Object("__torch__", "M", [.. all]);
    }

    public static byte[] Object(string module, string name, params (string Name, byte[] Value)[] attributes) =>
        [.. Global(module, name), .. Ascii(")"), 0x81, .. Ascii("}("), .. attributes.SelectMany(a => (byte[])[.. Text(a.Name), .. a.Value]), .. Ascii("ub")];

    public static byte[] Tensor(string storage = "FloatStorage", string key = "0", long length = 4, long offset = 0, long[]? size = null, long[]? stride = null) =>
        Call("torch._utils", "_rebuild_tensor_v2",
            [.. Tuple(Text("storage"), Global("torch", storage), Text(key), Text("cpu"), Int(length)), (byte)'Q'],
            Int(offset), Ints(size ?? [4]), Ints(stride ?? [1]), [0x89], Call("collections", "OrderedDict"));

    public static byte[] Call(string module, string name, params byte[][] arguments) => [.. Global(module, name), .. Tuple(arguments), (byte)'R'];

    public static byte[] Tuple(params byte[][] items) => [(byte)'(', .. items.SelectMany(item => item), (byte)'t'];

    public static byte[] Int(long value)
    {
        var bytes = new byte[10];
        (bytes[0], bytes[1]) = (0x8a, 8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(2), value);
        return bytes;
    }

    public static byte[] Text(string text)
    {
        var bytes = new byte[5];
        bytes[0] = (byte)'X';
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), text.Length);
        return [.. bytes, .. Ascii(text)];
    }

    public static byte[] Pickle(byte[] value) => [0x80, 2, .. value, (byte)'.'];

    public static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);

    private static byte[] Ints(long[] values) => Tuple([.. values.Select(Int)]);

    private static byte[] Global(string module, string name) => Ascii($"c{module}\n{name}\n");
}
