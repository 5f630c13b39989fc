using MultiScale.Data;

namespace MultiScale.Search;

/// <summary>An object that the search found.</summary>
/// <param name="Score">Its probability.</param>
internal sealed record Detection(int Label, Box Box, double Score)
{
    private const double NmsIoU = 0.2;   // two that overlap more show one object

    /// <summary>Non-maximum suppression: the best of those that overlap, whatever their class, since a place shows one object.</summary>
    public static List<Detection> Best(IEnumerable<Detection> all)
    {
        var kept = new List<Detection>();
        foreach (var next in all.OrderByDescending(detection => detection.Score))
        {
            if (kept.All(better => better.Box.IoU(next.Box) <= NmsIoU))
            {
                kept.Add(next);
            }
        }

        return kept;
    }
}
