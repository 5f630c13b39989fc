using SkiaSharp;

namespace PlaceRecognition.World;

/// <summary>Divides a ground floor into doors, shops, garages, windows and bare wall.</summary>
internal static class GroundFloorPlan
{
    internal static List<Bay> Bays(float start, float width, WindowStyle window, bool commercial, Dice dice)
    {
        var bays = new List<Bay>();
        var at = start + 0.3f;
        var end = start + width - 0.3f;
        var doorAt = dice.Range(start, end - 3);
        var hasDoor = false;
        while (end - at > 0.9f)
        {
            var kind = !hasDoor && at >= doorAt ? BayKind.Door : Kind(commercial, dice);
            var wanted = WidthOf(kind, window, dice);
            if (wanted > end - at)
            {
                (kind, wanted) = (BayKind.Blank, end - at);
            }

            hasDoor |= kind == BayKind.Door;
            bays.Add(new Bay(kind, at, wanted, ColorOf(kind, dice), dice.Pick(Palette.Vivid), dice.Seed()));
            at += wanted;
        }

        return bays;
    }

    private static BayKind Kind(bool commercial, Dice dice) => commercial
        ? (BayKind)dice.Weighted(0.8f, 4, 0.2f, 0.5f, 0.7f)
        : (BayKind)dice.Weighted(0.8f, 0.1f, 0.9f, 3.2f, 1.6f);

    private static float WidthOf(BayKind kind, WindowStyle window, Dice dice) => kind switch
    {
        BayKind.Door => dice.Range(1.5f, 2.3f),
        BayKind.Shop => dice.Range(2.8f, 5.2f),
        BayKind.Garage => dice.Range(2.8f, 3.5f),
        BayKind.Window => window.Width + dice.Range(0.6f, 1.4f),
        _ => dice.Range(0.7f, 2.2f),
    };

    private static SKColor ColorOf(BayKind kind, Dice dice) => kind switch
    {
        BayKind.Shop => dice.Pick(Palette.Vivid),
        BayKind.Garage => dice.Chance(0.5) ? new SKColor(176, 178, 178) : dice.Pick(Palette.Doors),
        _ => dice.Pick(Palette.Doors),
    };
}
