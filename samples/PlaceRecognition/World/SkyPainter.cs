using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>The sky, its clouds, and the far skyline that closes the street's ends.</summary>
internal sealed class SkyPainter(Brush brush, Conditions conditions, int width, int height)
{
    internal void Paint()
    {
        var horizon = brush.Camera.Horizon;
        brush.OnImage();
        brush.AddRect(0, 0, width, height);
        brush.FillShader(SKShader.CreateLinearGradient(
            new SKPoint(0, horizon - 1.1f * height),
            new SKPoint(0, horizon),
            [conditions.Light.SkyTop, conditions.Light.SkyLow],
            SKShaderTileMode.Clamp));
        if (conditions.Weather is Weather.Clear or Weather.Cloudy or Weather.LowSun or Weather.Dusk)
        {
            Clouds(new Dice(StableSeed.Of(conditions.Seed, 31)), horizon);
        }

        Skyline(horizon);
    }

    private void Clouds(Dice dice, float horizon)
    {
        var color = conditions.Light.SkyLow.Towards(SKColors.White, 0.6f).WithAlpha(90);
        for (var cloud = conditions.Weather == Weather.Cloudy ? 7 : 3; cloud > 0; cloud--)
        {
            var (x, y) = (dice.Range(0, width), horizon - dice.Range(0.2f, 1) * height);
            for (var puff = 0; puff < 4; puff++)
            {
                var radius = dice.Range(0.05f, 0.14f) * width;
                brush.Path.AddOval(new SKRect(x - radius, y - radius / 3, x + radius, y + radius / 3));
                brush.FillRaw(color);
                x += dice.Range(0.4f, 0.9f) * radius;
                y += dice.Range(-0.2f, 0.2f) * radius;
            }
        }
    }

    private void Skyline(float horizon)
    {
        brush.Haze = 0.6f;
        brush.AddRect(0, horizon - 0.05f * height, width, horizon + 2);
        brush.Fill(new SKColor(110, 116, 118));
        brush.Haze = 0;
    }
}
