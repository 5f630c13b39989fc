using System.Buffers.Binary;
using System.IO.Compression;
using Experiments;
using Experiments.Data;

namespace TorchPooling.Tests.Samples;

/// <summary>Files of the MNIST family, sound and broken.</summary>
public class IdxFileTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_bytes_stand_in_the_shape_of_the_header(bool gzip)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, "x", Idx([2, 1, 3], [1, 2, 3, 250, 251, 255]), gzip);
        using var content = IdxFile.Read(path, 3);
        Assert.Equal([2, 1, 3], content.shape);
        Assert.Equal([1, 2, 3, 250, 251, 255], content.data<byte>().ToArray());
    }

    [Fact]
    public void Plain_bytes_under_a_name_of_gzip_are_read_as_they_are()
    {
        using var folder = new TemporaryFolder();
        using var content = IdxFile.Read(Write(folder, "x.gz", Idx([2], [7, 9]), gzip: false), 1);
        Assert.Equal([7, 9], content.data<byte>().ToArray());
    }

    public static TheoryData<byte[], string> Broken => new()
    {
        { [], "begins with 0x00000803, got an end after 0 bytes" },
        { [0, 0, 8], "got an end after 3 bytes" },
        { [0, 0, 8, 1, 0, 0, 0, 1, 5], "begins with 0x00000803, got 0x00000801" },
        { [0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5], "got 0x00000d03" },
        { "not gzip at all"u8.ToArray(), "got 0x6e6f7420" },
        { [0, 0, 8, 3, 0, 0, 0, 2, 0, 0], "expected 3 sizes in the header, the file ends within them" },
        { Idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7]), "expected 2×2×2 = 8 bytes after the header, the file ends after 7 of them" },
        { Idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9]), "expected 2×2×2 = 8 bytes after the header, the file goes on" },
        { Idx([1 << 20, 1 << 20, 1 << 20], [1]), "expected 1 to 1073741824 bytes, the header tells 1048576×1048576×1048576" },   // 2^60
        { Idx([3, 0, 4], []), "expected 1 to 1073741824 bytes, the header tells 3×0×4" },
        { [0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 255, 255, 255, 255], "cannot be read" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_broken_is_told_with_the_path(byte[] bytes, string message)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, "train-images-idx3-ubyte.gz", bytes, gzip: false);
        var error = Assert.Throws<UserException>(() => IdxFile.Read(path, 3));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12)]
    [InlineData(30)]
    public void A_gzip_file_that_ends_early_is_told(int kept)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, "x.gz", Idx([64, 8, 8], [.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 37 % 251))]), gzip: true);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..kept]);
        Assert.StartsWith(path, Assert.Throws<UserException>(() => IdxFile.Read(path, 3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_told()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<UserException>(() => IdxFile.Read(folder.File("none"), 1));
        Assert.Contains($"{folder.File("none")}: cannot be read", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A file of so many sizes and these bytes, whether they fit or not.</summary>
    internal static byte[] Idx(uint[] sizes, byte[] content)
    {
        var header = new byte[4 + (4 * sizes.Length)];
        BinaryPrimitives.WriteUInt32BigEndian(header, 0x800u + (uint)sizes.Length);
        for (var i = 0; i < sizes.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + (4 * i)), sizes[i]);
        }

        return [.. header, .. content];
    }

    internal static string Write(TemporaryFolder folder, string name, byte[] bytes, bool gzip)
    {
        var path = folder.File(name);
        using var file = File.Create(path);
        using Stream stream = gzip ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(bytes);
        return path;
    }
}
