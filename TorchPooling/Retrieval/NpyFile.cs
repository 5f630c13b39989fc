using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Descriptors as <c>.npy</c> files: what <c>numpy.save</c> and <c>numpy.load</c> write and read.</summary>
/// <remarks>A matrix (N, D) of float16, float32, float64 or int64, little-endian, rows one after the other, aligned to 64 bytes:
/// the format of NumPy's enhancement proposal 1.</remarks>
public static class NpyFile
{
    private const long PieceBytes = 1 << 26;

    /// <summary>Writes <paramref name="rows"/> (N, D) as one file.</summary>
    /// <inheritdoc cref="Write(string, IEnumerable{Tensor})"/>
    public static void Write(string path, Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Write(path, [rows]);
    }

    /// <summary>Writes batches (n, D) of one dtype behind each other; the file appears whole or not at all.</summary>
    /// <param name="path">The file to write; an existing one is replaced at the end.</param>
    /// <param name="rows">At least one batch, on any device; those made while they are enumerated are disposed after use.</param>
    /// <exception cref="ArgumentException">No batch, one of another shape or dtype than the first, or a dtype that is not supported.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">The file cannot be written, for instance on a full disk.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static void Write(string path, IEnumerable<Tensor> rows)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(rows);
        var draft = Path.Combine(Check.FolderOf(path), $".npy-{Path.GetRandomFileName()}");
        try
        {
            using (var stream = new FileStream(draft, FileMode.CreateNew))
            {
                stream.Position = NpyHeader.WrittenLength;
                var header = WriteRows(stream, rows);
                stream.Position = 0;
                stream.Write(header.ToBytes());
                stream.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>The whole matrix, shape (N, D), on the CPU.</summary>
    /// <param name="path">The file to read.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or not such a matrix, or larger than the memory.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Tensor Read(string path)
    {
        using var stream = Open(path, out var header);
        if (header.Bytes > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)
        {
            throw new InvalidDataException($"{path}: expected a matrix that fits into memory, got {header.Bytes} bytes (read it in blocks)");
        }

        return ReadRows(stream, header, header.Rows);
    }

    /// <summary>The matrix in blocks of <paramref name="rows"/> rows, the last one perhaps shorter, on the CPU.</summary>
    /// <param name="path">The file to read; it is checked at once, and opened for every enumeration.</param>
    /// <param name="rows">Rows of a block.</param>
    /// <returns>Blocks (rows, D); each belongs to the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is not positive.</exception>
    /// <inheritdoc cref="Read(string)"/>
    public static IEnumerable<Tensor> ReadBlocks(string path, long rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        Open(path, out _).Dispose();
        return Blocks(path, rows);
    }

    private static IEnumerable<Tensor> Blocks(string path, long rows)
    {
        using var stream = Open(path, out var header);
        for (var start = 0L; start < header.Rows; start += Math.Min(rows, header.Rows - start))
        {
            yield return ReadRows(stream, header, Math.Min(rows, header.Rows - start));
        }
    }

    private static FileStream Open(string path, out NpyHeader header)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            header = NpyHeader.Read(stream, path);
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static NpyHeader WriteRows(FileStream stream, IEnumerable<Tensor> batches)
    {
        NpyHeader? header = null;
        using var scope = NewDisposeScope();
        using var all = batches.GetEnumerator();
        while (true)
        {
            using var step = NewDisposeScope();
            if (!all.MoveNext())
            {
                return header ?? throw new ArgumentException("expected at least one batch of rows, got none", "rows");
            }

            header = NpyHeader.After(header, all.Current);
            foreach (var piece in Pieces(all.Current, header.RowBytes))
            {
                using var part = NewDisposeScope();
                stream.Write(piece.detach().cpu().contiguous().bytes);
            }
        }
    }

    private static Tensor ReadRows(FileStream stream, NpyHeader header, long rows)
    {
        using var scope = NewDisposeScope();
        var matrix = empty(rows, header.Columns, dtype: header.DType);
        foreach (var piece in Pieces(matrix, header.RowBytes))
        {
            stream.ReadExactly(piece.bytes);
        }

        return matrix.MoveToOuterDisposeScope();
    }

    /// <summary>Rows in pieces whose bytes a span can hold.</summary>
    private static IEnumerable<Tensor> Pieces(Tensor matrix, long rowBytes)
    {
        var rows = Math.Max(1, PieceBytes / rowBytes);
        for (var start = 0L; start < matrix.size(0); start += rows)
        {
            yield return matrix.narrow(0, start, Math.Min(rows, matrix.size(0) - start));
        }
    }
}
