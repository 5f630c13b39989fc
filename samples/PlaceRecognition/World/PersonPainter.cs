using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Somebody who happens to pass.</summary>
internal sealed record Person(Vector3 Foot, int Seed);

/// <summary>A person as an upright plane that faces the camera.</summary>
internal static class PersonPainter
{
    internal static void Paint(Brush brush, Conditions conditions, Person person)
    {
        var dice = new Dice(person.Seed);
        var (height, stride) = (dice.Range(1.55f, 1.88f), dice.Range(0.02f, 0.22f));
        var (coat, legs, skin) = (dice.Pick(Palette.Clothes), dice.Pick(Palette.Clothes).Scale(0.7f), dice.Pick(Palette.Skin));
        var (hip, shoulder) = (0.5f * height, 0.82f * height);
        Shadow(brush, person);
        brush.On(brush.Camera.Billboard(person.Foot));
        brush.Line(0, hip, -stride, 0.03f, 0.15f, legs);
        brush.Line(0, hip, stride, 0.03f, 0.15f, legs.Scale(0.85f));
        brush.Polygon(
            coat, new(-0.17f, hip - 0.12f), new(0.17f, hip - 0.12f), new(0.23f, shoulder), new(-0.23f, shoulder));
        brush.Line(-0.22f, shoulder - 0.04f, -0.22f - stride, hip, 0.1f, coat.Scale(0.8f));
        brush.Line(0.22f, shoulder - 0.04f, 0.22f + 0.5f * stride, hip, 0.1f, coat.Scale(0.8f));
        brush.Oval(0, 0.92f * height, 0.1f, 0.125f, skin);
        brush.Oval(0, 0.955f * height, 0.11f, 0.085f, dice.Pick(Palette.Clothes).Scale(0.6f));
        if (dice.Chance(0.4))
        {
            brush.Rect(0.2f, 0.42f * height, 0.48f, 0.6f * height, dice.Pick(Palette.Vivid));
        }

        if (conditions.Weather is Weather.Rain or Weather.Snow && dice.Chance(0.6))
        {
            Umbrella(brush, height, dice.Pick(Palette.Vivid));
        }
    }

    private static void Shadow(Brush brush, Person person)
    {
        brush.On(brush.Camera.Plane(person.Foot, Vector3.UnitX, Vector3.UnitY));
        brush.Path.AddOval(new SKRect(-0.35f, -0.35f, 0.35f, 0.35f));
        brush.FillRaw(new SKColor(8, 8, 12, 90));
    }

    private static void Umbrella(Brush brush, float height, SKColor color)
    {
        brush.Line(0.2f, 0.6f * height, 0.1f, height + 0.35f, 0.04f, new SKColor(40, 40, 44));
        brush.Path.MoveTo(-0.5f, height + 0.1f);
        brush.Path.QuadTo(0.1f, height + 0.75f, 0.7f, height + 0.1f);
        brush.Path.Close();
        brush.Fill(color);
    }
}
