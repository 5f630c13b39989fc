namespace OperatorPictures.Drawing;

/// <summary>At most 256 colours for a picture, by median cut: the box of the widest spread is halved until there are enough.</summary>
internal sealed class Palette
{
    private const int Most = 256;

    private readonly Dictionary<uint, byte> indices = [];

    private Palette(IEnumerable<(uint Color, int Count)[]> boxes)
    {
        var colors = new List<uint>();
        foreach (var box in boxes)
        {
            foreach (var (color, _) in box)
            {
                indices[color] = (byte)colors.Count;
            }

            colors.Add(Mean(box));
        }

        Colors = colors;
    }

    /// <summary>0x..RRGGBB each.</summary>
    public IReadOnlyList<uint> Colors { get; }

    public static Palette Of(IEnumerable<uint> pixels)
    {
        var boxes = new PriorityQueue<(uint Color, int Count)[], double>();
        Add(boxes, [.. pixels.GroupBy(pixel => pixel).Select(group => (group.Key, group.Count())).OrderBy(color => color.Key)]);
        while (boxes.Count < Most && boxes.TryPeek(out var widest, out _) && widest.Length > 1)
        {
            boxes.Dequeue();
            var shift = WidestChannel(widest).Shift;
            var sorted = widest.OrderBy(color => Channel(color.Color, shift)).ToArray();
            var cut = Cut(sorted);
            Add(boxes, sorted[..cut]);
            Add(boxes, sorted[cut..]);
        }

        return new(boxes.UnorderedItems.Select(box => box.Element).OrderBy(box => box[0].Color));
    }

    public byte IndexOf(uint color) => indices[color];

    private static void Add(PriorityQueue<(uint Color, int Count)[], double> boxes, (uint Color, int Count)[] box) =>
        boxes.Enqueue(box, box.Length > 1 ? -WidestChannel(box).Spread : 0);

    /// <summary>Half of the pixels on either side, and a colour at least.</summary>
    private static int Cut((uint Color, int Count)[] sorted)
    {
        var half = sorted.Sum(color => (long)color.Count) / 2;
        var cut = 0;
        for (var seen = 0L; cut < sorted.Length - 1 && seen + sorted[cut].Count <= half; cut++)
        {
            seen += sorted[cut].Count;
        }

        return Math.Max(cut, 1);
    }

    /// <summary>The sum of squared distances to the mean, largest over the channels.</summary>
    private static (int Shift, double Spread) WidestChannel((uint Color, int Count)[] box) =>
        new[] { 16, 8, 0 }.Select(shift =>
        {
            double count = box.Sum(color => (long)color.Count);
            var mean = box.Sum(color => (double)Channel(color.Color, shift) * color.Count) / count;
            return (shift, box.Sum(color => Math.Pow(Channel(color.Color, shift) - mean, 2) * color.Count));
        }).MaxBy(channel => channel.Item2);

    private static uint Mean((uint Color, int Count)[] box)
    {
        double count = box.Sum(color => (long)color.Count);
        return new[] { 16, 8, 0 }.Aggregate(0u, (mean, shift) =>
            mean | ((uint)Math.Round(box.Sum(color => (double)Channel(color.Color, shift) * color.Count) / count) << shift));
    }

    private static uint Channel(uint color, int shift) => (color >> shift) & 255;
}
