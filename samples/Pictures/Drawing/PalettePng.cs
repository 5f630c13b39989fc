using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using SkiaSharp;

namespace OperatorPictures.Drawing;

/// <summary>PNG files of at most 256 colours, which SkiaSharp cannot write: a third of the size.</summary>
internal static class PalettePng
{
    public static byte[] Encode(SKBitmap bitmap)
    {
        var pixels = Array.ConvertAll(bitmap.Pixels, pixel => (uint)pixel);
        var palette = Palette.Of(pixels);
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, bitmap.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), bitmap.Height);
        (header[8], header[9]) = (8, 3);   // eight bits of palette index
        Chunk(file, "IHDR", header);
        Chunk(file, "PLTE", [.. palette.Colors.SelectMany(color => new[] { (byte)(color >> 16), (byte)(color >> 8), (byte)color })]);
        Chunk(file, "IDAT", Compressed(pixels, bitmap.Width, palette));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static byte[] Compressed(uint[] pixels, int width, Palette palette)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.SmallestSize))
        {
            foreach (var row in pixels.Chunk(width))
            {
                zlib.WriteByte(0);   // no filter: neighbours in a palette are not near in value
                zlib.Write(Array.ConvertAll(row, palette.IndexOf));
            }
        }

        return data.ToArray();
    }

    private static void Chunk(Stream file, string type, byte[] content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        byte[] checkedBytes = [.. Encoding.ASCII.GetBytes(type), .. content];
        file.Write(checkedBytes);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(checkedBytes));
        file.Write(number);
    }
}
