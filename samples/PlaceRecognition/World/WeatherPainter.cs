using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>What lies over the whole image: rain, flakes, mist, the glow of a low sun, the dark of the night.</summary>
internal sealed class WeatherPainter(Brush brush, Conditions conditions, int width, int height)
{
    internal void Paint()
    {
        brush.OnImage();
        var dice = new Dice(StableSeed.Of(conditions.Seed, 35));
        switch (conditions.Weather)
        {
            case Weather.Rain:
                Streaks(dice);
                break;
            case Weather.Snow:
                Flakes(dice);
                break;
            case Weather.LowSun:
                Glow(dice, new SKColor(255, 190, 90, 120), new SKColor(255, 170, 80, 0));
                break;
            case Weather.Dusk:
                Glow(dice, new SKColor(220, 110, 90, 60), new SKColor(30, 30, 80, 30));
                break;
        }
    }

    private void Streaks(Dice dice)
    {
        var slant = dice.Range(-0.12f, 0.12f);
        for (var i = 0; i < 90; i++)
        {
            var (x, y, length) = (dice.Range(0, width), dice.Range(-0.1f, 1) * height, dice.Range(0.03f, 0.09f) * height);
            brush.Path.MoveTo(x, y);
            brush.Path.LineTo(x + slant * length, y + length);
        }

        brush.Outline(0.003f * width, new SKColor(240, 244, 250, 70));
    }

    private void Flakes(Dice dice)
    {
        for (var i = 0; i < 110; i++)
        {
            var (x, y, radius) = (dice.Range(0, width), dice.Range(0, height), dice.Range(0.002f, 0.007f) * width);
            brush.Path.AddOval(new SKRect(x - radius, y - radius, x + radius, y + radius));
        }

        brush.FillRaw(new SKColor(250, 252, 255, 200));
    }

    private void Glow(Dice dice, SKColor near, SKColor far)
    {
        var from = dice.Chance(0.5) ? 0 : width;
        brush.AddRect(0, 0, width, height);
        brush.FillShader(SKShader.CreateLinearGradient(
            new SKPoint(from, 0), new SKPoint(width - from, 0.6f * height), [near, far], SKShaderTileMode.Clamp));
    }
}
