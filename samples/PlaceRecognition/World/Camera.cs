using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>
/// A pinhole camera in a street's own frame (x along it, y to its left, z up, metres) with an image whose y runs down.
/// </summary>
internal sealed class Camera
{
    /// <summary>Half of the horizontal field of view, in radians (75° in all).</summary>
    internal const float HalfView = 37.5f * MathF.PI / 180;

    private readonly float centreX;
    private readonly float centreY;
    private readonly float focal;
    private readonly Vector3 forward;
    private readonly Vector3 right;
    private readonly Vector3 up;

    /// <param name="position">Where the lens is.</param>
    /// <param name="yaw">Radians from x towards y.</param>
    /// <param name="pitch">Radians upwards.</param>
    /// <param name="roll">Radians clockwise.</param>
    /// <param name="width">Image width, pixels.</param>
    /// <param name="height">Image height, pixels.</param>
    internal Camera(Vector3 position, float yaw, float pitch, float roll, int width, int height)
    {
        Position = position;
        Yaw = yaw;
        var (sin, cos) = MathF.SinCos(yaw);
        LevelRight = new Vector3(sin, -cos, 0);
        var level = new Vector3(cos, sin, 0);
        forward = MathF.Cos(pitch) * level + MathF.Sin(pitch) * Vector3.UnitZ;
        var straightUp = MathF.Cos(pitch) * Vector3.UnitZ - MathF.Sin(pitch) * level;
        right = MathF.Cos(roll) * LevelRight + MathF.Sin(roll) * straightUp;
        up = MathF.Cos(roll) * straightUp - MathF.Sin(roll) * LevelRight;
        focal = width / 2f / MathF.Tan(HalfView);
        (centreX, centreY) = (width / 2f, height / 2f);
        Horizon = centreY + focal * MathF.Tan(pitch);
    }

    internal Vector3 Position { get; }

    internal float Yaw { get; }

    /// <summary>The level direction to the right of the view; upright billboards span it.</summary>
    internal Vector3 LevelRight { get; }

    /// <summary>The image row of the horizon.</summary>
    internal float Horizon { get; }

    /// <summary>Image rows below the horizon at which level ground at a distance is seen.</summary>
    internal float GroundRow(float distance) => focal * Position.Z / distance;

    /// <summary>Metres in front of the camera's plane.</summary>
    internal float Depth(Vector3 point) => Vector3.Dot(forward, point - Position);

    /// <summary>The homography from (a, b) metres on the plane origin + a·A + b·B to the image.</summary>
    internal SKMatrix Plane(Vector3 origin, Vector3 a, Vector3 b)
    {
        var (ca, cb, co) = (Column(a), Column(b), Column(origin - Position));
        return new SKMatrix(ca.X, cb.X, co.X, ca.Y, cb.Y, co.Y, ca.Z, cb.Z, co.Z);
    }

    /// <summary>An upright plane that faces the camera, with its origin at the point.</summary>
    internal SKMatrix Billboard(Vector3 foot) => Plane(foot, LevelRight, Vector3.UnitZ);

    private Vector3 Column(Vector3 v)
    {
        var depth = Vector3.Dot(forward, v);
        return new Vector3(
            focal * Vector3.Dot(right, v) + centreX * depth,
            -focal * Vector3.Dot(up, v) + centreY * depth,
            depth);
    }
}
