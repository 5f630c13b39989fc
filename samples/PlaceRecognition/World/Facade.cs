using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>
/// One side of a street: its lots, and where its own metres lie. Seen from the street, s grows to the right, z up, and
/// out towards the viewer.
/// </summary>
/// <param name="Side">+1: left of the street's direction; −1: right.</param>
/// <param name="Distance">Metres from the street's middle to the wall.</param>
/// <param name="Length">Metres of the street; s of the right side counts from its far end.</param>
/// <param name="Row">The lots by growing s.</param>
internal sealed record Facade(int Side, float Distance, float Length, IReadOnlyList<Building> Row)
{
    internal Vector3 Along => new(Side, 0, 0);

    internal Vector3 Out => new(0, -Side, 0);

    internal Vector3 At(float s, float z, float outwards) =>
        new(Side > 0 ? s : Length - s, Side * (Distance - outwards), z);

    /// <summary>The position along the façade of a point of the street.</summary>
    internal float ToAlong(float x) => Side > 0 ? x : Length - x;

    /// <summary>The wall's plane, or one that many metres in front of it.</summary>
    internal SKMatrix Plane(Camera camera, float outwards = 0) =>
        camera.Plane(At(0, 0, outwards), Along, Vector3.UnitZ);

    /// <summary>A plane through height z that leans outwards by <paramref name="lean"/> per metre of its own rise.</summary>
    internal SKMatrix Leaning(Camera camera, float z, float outwards, Vector2 lean) =>
        camera.Plane(At(0, z, outwards), Along, lean.X * Out + lean.Y * Vector3.UnitZ);

    /// <summary>A plane square to the wall at s: its first metres lead out of the wall, its second up.</summary>
    internal SKMatrix Square(Camera camera, float s) => camera.Plane(At(s, 0, 0), Out, Vector3.UnitZ);

    /// <summary>The part of the row that the camera may see; empty (from above to) when it looks away.</summary>
    internal (float From, float To) Seen(Camera camera)
    {
        const float Steepest = 80 * MathF.PI / 180;
        const float Margin = 4 * MathF.PI / 180;
        var turn = MathF.IEEERemainder(Side * MathF.PI / 2 - camera.Yaw, 2 * MathF.PI);
        var left = turn - Camera.HalfView - Margin;
        var right = turn + Camera.HalfView + Margin;
        if (left > Steepest || right < -Steepest)
        {
            return (1, 0);
        }

        var away = Distance - Side * camera.Position.Y;
        var at = ToAlong(camera.Position.X);
        return (
            at + away * MathF.Tan(Math.Max(left, -Steepest)) - 1,
            at + away * MathF.Tan(Math.Min(right, Steepest)) + 1);
    }
}
