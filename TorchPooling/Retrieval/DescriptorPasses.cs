using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>Descriptors in batches that are passed over again and again: counted and averaged once, then centred.</summary>
internal sealed class DescriptorPasses
{
    private readonly IEnumerable<Tensor> batches;

    /// <param name="batches">See <see cref="PcaWhitening.Fit"/>.</param>
    /// <param name="width">D, the length of a descriptor.</param>
    /// <param name="components">The count must be larger than this.</param>
    /// <param name="device">Where the blocks are handed out.</param>
    public DescriptorPasses(IEnumerable<Tensor> batches, long width, long components, Device device)
    {
        this.batches = batches;
        Width = width;
        Device = device;
        var sum = zeros(width, dtype: ScalarType.Float64, device: device);
        Count = Pass(block => sum.add_(Finite(block.sum([0], type: ScalarType.Float64)), Held(1)));
        if (Count <= components)
        {
            var reason = Count == 0 ? "got no batches" : $"got {Count}, whose covariance has rank {Count - 1} at most";
            throw new ArgumentException($"expected more than {components} descriptors for {components} components, {reason}", nameof(batches));
        }

        Mean = sum / Held(Count);
    }

    public long Width { get; }

    public Device Device { get; }

    public long Count { get; }

    /// <summary>Shape (D), float64.</summary>
    public Tensor Mean { get; }

    /// <summary>One pass over x − mean, in blocks of rows (m, D) of this dtype; a block is gone after its use.</summary>
    public void Centred(ScalarType dtype, Action<Tensor> use)
    {
        var mean = Mean.to(dtype);
        var count = Pass(block => use(block.to(dtype) - mean));
        if (count != Count)
        {
            throw new ArgumentException($"expected the same batches in every pass, got {Count} descriptors in the first and {count} in another", nameof(batches));
        }
    }

    private long Pass(Action<Tensor> use)
    {
        var count = 0L;
        using var enumerator = batches.GetEnumerator();
        while (true)
        {
            using var step = NewDisposeScope();   // around the enumeration too: what it makes is no longer needed after this step
            if (!enumerator.MoveNext())
            {
                return count;
            }

            var batch = enumerator.Current;
            Check.Matrix(batch, 1, Width, nameof(batches));
            foreach (var rows in RowBlocks.Of(batch, 1, elements: 1 << 24))
            {
                using var block = NewDisposeScope();
                use(rows.to(Device));
            }

            count += batch.size(0);
        }
    }

    private static Tensor Finite(Tensor sum) => sum.isfinite().all().ToBoolean()
        ? sum
        : throw new ArgumentException("expected finite descriptors, got NaN or infinity among them", nameof(batches));
}
