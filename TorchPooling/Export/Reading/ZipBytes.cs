using Microsoft.Win32.SafeHandles;

namespace TorchPooling;

/// <summary>The bytes of a zip archive.</summary>
internal sealed class ZipBytes(SafeFileHandle file)
{
    public long Length { get; } = RandomAccess.GetLength(file);

    public ReadOnlySpan<byte> Read(long start, int count)
    {
        var bytes = new byte[count];
        Fill(start, bytes);
        return bytes;
    }

    public void Fill(long start, Span<byte> bytes)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var count = RandomAccess.Read(file, bytes[done..], start + done);
            Demand(count > 0, "it became shorter while it was read");
            done += count;
        }
    }

    /// <exception cref="InvalidDataException">Something that holds for every undamaged archive does not.</exception>
    public static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException($"is truncated or damaged: {otherwise}");
        }
    }
}
