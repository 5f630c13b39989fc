using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>A car, whose middle is at x, y of the street and whose nose points along ±x.</summary>
internal sealed record Car(float X, float Y, int Nose, float Length, float Height, bool Boxy, SKColor Color)
{
    internal const float HalfWidth = 0.88f;

    internal static Car Draw(Dice dice, float x, float y, int side)
    {
        var boxy = dice.Chance(0.25);
        return new Car(
            x,
            y,
            -side,
            dice.Range(3.7f, 4.7f),
            boxy ? dice.Range(1.8f, 2.1f) : dice.Range(1.38f, 1.55f),
            boxy,
            dice.Pick(Palette.Cars));
    }
}
