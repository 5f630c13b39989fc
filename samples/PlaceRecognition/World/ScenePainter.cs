using System.Numerics;

namespace PlaceRecognition.World;

/// <summary>What stands and moves between camera and façades, from far to near.</summary>
internal sealed class ScenePainter(Brush brush, Street street, Conditions conditions)
{
    private const float Reach = 45;

    private readonly List<(float Depth, Action Paint)> things = [];
    private readonly FixturePainter fixtures = new(brush, conditions);

    internal void Paint()
    {
        Fixtures();
        Cars();
        People();
        things.Sort((a, b) => b.Depth.CompareTo(a.Depth));
        foreach (var (depth, paint) in things)
        {
            brush.Haze = conditions.Light.HazeAt(depth);
            paint();
        }

        brush.Haze = 0;
    }

    private void Add(Vector3 foot, float nearest, Action paint)
    {
        var depth = brush.Camera.Depth(foot);
        var aside = Math.Abs(Vector3.Dot(brush.Camera.LevelRight, foot - brush.Camera.Position));
        if (depth > nearest && depth < Reach && aside < depth + 4)
        {
            things.Add((depth, paint));
        }
    }

    private void Fixtures()
    {
        foreach (var fixture in street.Fixtures)
        {
            Add(new Vector3(fixture.X, fixture.Y, 0), 1, () => fixtures.Paint(fixture));
        }
    }

    private void Cars()
    {
        var dice = new Dice(StableSeed.Of(conditions.Seed, 33));
        foreach (var side in (ReadOnlySpan<int>)[1, -1])
        {
            for (var x = brush.Camera.Position.X - 30; x < brush.Camera.Position.X + 30; x += dice.Range(6, 11))
            {
                var car = Car.Draw(dice, x, side * (street.RoadHalfWidth - 1.1f), side);
                if (dice.Chance(conditions.ParkedCars))
                {
                    Add(car);
                }
            }

            var passing = Car.Draw(dice, brush.Camera.Position.X + dice.Range(-8, 8), side * 2.9f, side);
            if (conditions.DrivingCar && Math.Abs(brush.Camera.Position.Y - passing.Y) > 3.6f)
            {
                Add(passing);
            }
        }
    }

    private void Add(Car car) =>
        Add(new Vector3(car.X, car.Y, 0), 2.5f, () => new CarPainter(brush, conditions, car).Paint());

    private void People()
    {
        var dice = new Dice(StableSeed.Of(conditions.Seed, 34));
        for (var i = 0; i < conditions.People; i++)
        {
            var side = MathF.Cos(brush.Camera.Yaw - MathF.PI / 2) > 0 ? 1 : -1;
            var y = dice.Chance(0.8)
                ? side * dice.Range(street.RoadHalfWidth + 0.4f, street.Left.Distance - 0.6f)
                : side * dice.Range(0.5f, 1) * street.RoadHalfWidth;
            var foot = new Vector3(brush.Camera.Position.X + dice.Range(-9, 9), y, 0);
            var person = new Person(foot, dice.Seed());
            Add(foot, 3, () => PersonPainter.Paint(brush, conditions, person));
        }
    }
}
