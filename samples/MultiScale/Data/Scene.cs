using static TorchSharp.torch;

namespace MultiScale.Data;

/// <summary>A rectangle in pixels of a picture, (0, 0, W, H) being a whole one.</summary>
internal readonly record struct Box(double Left, double Top, double Right, double Bottom)
{
    public double Area => (Right - Left) * (Bottom - Top);

    /// <summary>Intersection over union: area of what both cover over that of what either covers.</summary>
    public double IoU(Box other)
    {
        var width = Math.Min(Right, other.Right) - Math.Max(Left, other.Left);
        var height = Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top);
        var shared = Math.Max(0, width) * Math.Max(0, height);
        return shared / (Area + other.Area - shared);
    }
}

/// <summary>An object of a scene.</summary>
internal readonly record struct SceneObject(int Label, Box Box);

/// <summary>A wide picture (1, 1, H, W) with several objects.</summary>
internal sealed record Scene(Tensor Image, IReadOnlyList<SceneObject> Objects) : IDisposable
{
    public void Dispose() => Image.Dispose();
}
