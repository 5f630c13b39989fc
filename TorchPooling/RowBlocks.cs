using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Rows of a matrix in blocks, so that what is computed of them stays small.</summary>
internal static class RowBlocks
{
    /// <summary>Views of consecutive rows: neither a block nor a table of its rows with so many columns has more than this many
    /// elements (unless a single row has).</summary>
    public static IEnumerable<Tensor> Of(Tensor rows, long columns, long elements = 1 << 22)
    {
        var step = Math.Max(1, elements / Math.Max(columns, rows.size(1)));
        for (var start = 0L; start < rows.size(0); start += step)
        {
            yield return rows.narrow(0, start, Math.Min(step, rows.size(0) - start));
        }
    }
}
