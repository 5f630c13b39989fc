namespace PlaceRecognition.World;

internal enum Weather
{
    Clear,
    Cloudy,
    LowSun,
    Overcast,
    Dusk,
    Night,
    Rain,
    Fog,
    Snow,
}

internal enum Season
{
    Green,
    Autumn,
    Bare,
}

/// <summary>Everything of a picture that is not the place: it follows from the view's seed alone.</summary>
internal sealed record Conditions(
    Weather Weather,
    Season Season,
    Light Light,
    int People,
    float ParkedCars,
    bool DrivingCar,
    float CameraHeight,
    float Pitch,
    float Roll,
    Sensor Sensor,
    int Seed)
{
    private const float Degree = MathF.PI / 180;
    private const float Tilt = 22 * Degree;

    internal static Conditions Of(View view)
    {
        var dice = new Dice(view.Seed);
        var drawn = view.IsQuery ? Query(dice, view.Seed) : Database(dice, view.Seed);
        return view.Challenge switch
        {
            Challenge.Sky => drawn with { Pitch = drawn.Pitch + Tilt },
            Challenge.Road => drawn with { Pitch = drawn.Pitch - Tilt },
            _ => drawn,
        };
    }

    private static Conditions Database(Dice dice, int seed)
    {
        var weather = dice.Chance(0.6) ? Weather.Clear : Weather.Cloudy;
        return new Conditions(
            weather,
            Season.Green,
            Light.Draw(weather, dice),
            People: dice.Weighted(3, 2, 1),
            ParkedCars: 0.2f,
            DrivingCar: dice.Chance(0.05),
            CameraHeight: 1.7f,
            Pitch: 5 * Degree,
            Roll: 0,
            Sensor.Draw(dice, 0.4f),
            seed);
    }

    private static Conditions Query(Dice dice, int seed)
    {
        var weather = (Weather)dice.Weighted(12, 8, 18, 14, 11, 13, 10, 6, 8);
        return new Conditions(
            weather,
            weather == Weather.Snow ? Season.Bare : (Season)dice.Weighted(5, 3, 2),
            Light.Draw(weather, dice),
            People: dice.Weighted(2, 3, 3, 2, 1),
            ParkedCars: 0.4f,
            DrivingCar: dice.Chance(0.15),
            CameraHeight: dice.Range(1.6f, 1.8f),
            Pitch: dice.Range(2, 8) * Degree,
            Roll: dice.Range(-2, 2) * Degree,
            Sensor.Draw(dice, 1),
            seed);
    }
}
