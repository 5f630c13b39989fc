using System.Numerics;
using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>What the hour and the weather do to colours.</summary>
/// <param name="Tint">Factor of red, green and blue.</param>
/// <param name="Saturation">One keeps colours, zero leaves grey.</param>
/// <param name="SkyTop">Colour of the zenith.</param>
/// <param name="SkyLow">Colour of the sky at the horizon, which distance blends towards.</param>
/// <param name="HazeDistance">Metres after which 1/e of a colour is left.</param>
/// <param name="Glow">How much lamps and lit windows show, 0 to 1.</param>
/// <param name="SunSide">+1: the sun shines on the left façades; −1: on the right; 0: no direct sun.</param>
/// <param name="SunSlope">Metres that the sun's rays sink per metre across the street.</param>
/// <param name="SunDrift">Metres that shadows move along the street per metre across it.</param>
internal sealed record Light(
    Vector3 Tint,
    float Saturation,
    SKColor SkyTop,
    SKColor SkyLow,
    float HazeDistance,
    float Glow,
    int SunSide = 0,
    float SunSlope = 1,
    float SunDrift = 0)
{
    internal static Light Draw(Weather weather, Dice dice)
    {
        var light = weather switch
        {
            Weather.Clear => new(new(1.04f, 1.01f, 0.96f), 1, Sky("5b94d6"), Sky("c9dff2"), 260, 0),
            Weather.Cloudy => new(new(0.97f, 0.98f, 0.99f), 0.95f, Sky("84a9d0"), Sky("dde5ea"), 220, 0),
            Weather.LowSun => new(new(1.1f, 0.9f, 0.68f), 1, Sky("7a9cc6"), Sky("f5c58a"), 120, 0.05f),
            Weather.Overcast => new(new(0.8f, 0.81f, 0.83f), 0.75f, Sky("b5bac0"), Sky("d4d6d8"), 140, 0),
            Weather.Dusk => new(new(0.56f, 0.5f, 0.66f), 0.85f, Sky("2f4a7d"), Sky("c98a6c"), 110, 0.6f),
            Weather.Night => new(new(0.26f, 0.29f, 0.42f), 0.65f, Sky("0b1026"), Sky("25284a"), 160, 1),
            Weather.Rain => new(new(0.64f, 0.68f, 0.73f), 0.75f, Sky("8a9199"), Sky("aeb4b8"), 60, 0.25f),
            Weather.Fog => new(new(0.84f, 0.84f, 0.85f), 0.65f, Sky("c3c6c9"), Sky("d2d4d6"), dice.Range(12, 26), 0.15f),
            _ => new Light(new(0.9f, 0.93f, 1), 0.7f, Sky("b9c1cb"), Sky("dde1e6"), 55, 0.1f),
        };
        return WithSun(light with { Tint = light.Tint * dice.Range(0.93f, 1.06f) }, weather, dice);
    }

    /// <summary>The colour of a thing under this light, part of it lost to haze.</summary>
    internal SKColor On(SKColor color, float haze)
    {
        var c = new Vector3(color.Red, color.Green, color.Blue) * Tint;
        var grey = Vector3.Dot(c, new Vector3(0.3f, 0.59f, 0.11f));
        c = new Vector3(grey * (1 - Saturation)) + c * Saturation;
        c = c * (1 - haze) + new Vector3(SkyLow.Red, SkyLow.Green, SkyLow.Blue) * haze;
        return new SKColor(Palette.Channel(c.X), Palette.Channel(c.Y), Palette.Channel(c.Z), color.Alpha);
    }

    /// <summary>The part of a colour that the way through the air replaces.</summary>
    internal float HazeAt(float distance) => 1 - MathF.Exp(-Math.Max(0, distance) / HazeDistance);

    private static Light WithSun(Light light, Weather weather, Dice dice)
    {
        var (low, high) = weather switch
        {
            Weather.Clear => (0.75f, 1.6f),
            Weather.LowSun => (0.3f, 0.6f),
            _ => (0, 0),
        };
        return high == 0 ? light : light with
        {
            SunSide = dice.Chance(0.5) ? 1 : -1,
            SunSlope = dice.Range(low, high),
            SunDrift = dice.Range(-0.6f, 0.6f),
        };
    }

    private static SKColor Sky(string color) => SKColor.Parse(color);
}
