namespace MultiScale.Training;

/// <summary>When a training draws the size of its pictures anew.</summary>
internal enum SizeDraw
{
    /// <summary>One after the other, an epoch each, as in the paper.</summary>
    Epoch,

    /// <summary>For every batch.</summary>
    Batch,

    /// <summary>For every picture: a batch of mixed sizes, which runs through the network size by size.</summary>
    Image,
}
