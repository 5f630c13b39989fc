using System.Buffers.Binary;
using System.IO.Compression;
using static TorchSharp.torch;

namespace Experiments.Data;

/// <summary>Files of the MNIST family: a big-endian header of four bytes (0, 0, 8 for unsigned bytes, the number of dimensions) and the
/// sizes as 32-bit numbers, then the bytes in row-major order; as they are or under gzip.</summary>
/// <remarks>LeCun, Cortes, Burges: The MNIST database of handwritten digits, 1998, "the IDX file format".</remarks>
internal static class IdxFile
{
    private const int Most = 1 << 30;   // bytes, so that a broken header does not ask for all memory

    /// <summary>The content as uint8, in the shape that the header tells.</summary>
    /// <exception cref="UserException">The file cannot be read, is no IDX file of bytes of <paramref name="dimensions"/> dimensions,
    /// or holds fewer or more bytes than its header tells.</exception>
    public static Tensor Read(string path, int dimensions)
    {
        try
        {
            using var file = File.OpenRead(path);
            using Stream stream = IsGzip(file) ? new GZipStream(file, CompressionMode.Decompress) : file;
            return Read(stream, dimensions, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new UserException($"{path}: cannot be read ({e.Message})", e);
        }
    }

    private static bool IsGzip(FileStream file)
    {
        var gzip = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return gzip;
    }

    private static Tensor Read(Stream stream, int dimensions, string path)
    {
        var header = new byte[4 + (4 * dimensions)];
        var got = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        var magic = got < 4 ? "an end after " + got + " bytes" : $"0x{BinaryPrimitives.ReadUInt32BigEndian(header):x8}";
        if (got < 4 || BinaryPrimitives.ReadUInt32BigEndian(header) != 0x800 + dimensions)
        {
            throw new UserException($"{path}: expected an IDX file of bytes in {dimensions} dimensions, which begins with 0x{0x800 + dimensions:x8}, got {magic}");
        }

        if (got < header.Length)
        {
            throw new UserException($"{path}: expected {dimensions} sizes in the header, the file ends within them");
        }

        var sizes = Enumerable.Range(1, dimensions).Select(i => (long)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 * i))).ToArray();
        var count = sizes.Aggregate(1.0, (product, size) => product * size);
        if (count is 0 or > Most)
        {
            throw new UserException($"{path}: expected 1 to {Most} bytes, the header tells {string.Join("×", sizes)}");
        }

        var bytes = new byte[(int)count];
        var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (read < bytes.Length || stream.ReadByte() >= 0)
        {
            var found = read < bytes.Length ? $"the file ends after {read} of them" : "the file goes on";
            throw new UserException($"{path}: expected {string.Join("×", sizes)} = {bytes.Length} bytes after the header, {found}");
        }

        return tensor(bytes, sizes);
    }
}
