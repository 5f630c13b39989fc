using MultiScale.Data;

namespace MultiScale.Search;

/// <summary>What the search found in a scene, and which of it is right: an object of the same class that it overlaps by half (intersection
/// over union), each object once, the surest first.</summary>
/// <param name="Found">Each with the number of the object that it is right about; null where it is wrong.</param>
internal sealed record SceneScore(Scene Scene, IReadOnlyList<(Detection Found, int? Object)> Found)
{
    private const double Half = 0.5;

    public static SceneScore Of(Scene scene, IEnumerable<Detection> detections)
    {
        var open = Enumerable.Range(0, scene.Objects.Count).ToHashSet();
        var found = new List<(Detection, int?)>();
        foreach (var detection in detections.OrderByDescending(detection => detection.Score))
        {
            var matches = open.Where(i => scene.Objects[i].Label == detection.Label && scene.Objects[i].Box.IoU(detection.Box) >= Half).ToList();
            int? match = matches.Count == 0 ? null : matches.MaxBy(i => scene.Objects[i].Box.IoU(detection.Box));
            open.RemoveWhere(i => i == match);
            found.Add((detection, match));
        }

        return new(scene, found);
    }

    /// <summary>The objects about which nothing of at least this probability is right.</summary>
    public IEnumerable<SceneObject> Missed(double threshold)
    {
        var right = Found.Where(item => item.Found.Score >= threshold).Select(item => item.Object).ToHashSet();
        return Scene.Objects.Where((_, i) => !right.Contains(i));
    }

    /// <summary>Of all scenes together, of what is at least as sure as <paramref name="threshold"/>.</summary>
    public static (int Found, int Right, int Objects) Count(IReadOnlyCollection<SceneScore> scenes, double threshold)
    {
        var kept = scenes.SelectMany(scene => scene.Found).Where(item => item.Found.Score >= threshold).ToList();
        return (kept.Count, kept.Count(item => item.Object is not null), scenes.Sum(scene => scene.Scene.Objects.Count));
    }
}
