using System.Reflection;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>What an adversary hands to a parameter, by its type.</summary>
internal static class HostileValues
{
    public static readonly Argument Null = new("null", _ => null);

    private static readonly long[] Longs =
    [
        -1, 0, 1, 2, 3, 5, 7, int.MaxValue, int.MinValue, int.MaxValue + 1L, 1L << 32, 1L << 40, long.MaxValue / 2, long.MaxValue, long.MinValue,
    ];

    private static readonly double[] Doubles =
    [
        double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.MinValue, 1e308, 1e38, -1, -0.0, 0, double.Epsilon,
        1e-45, 1e-30, 0.5, 1, 3, int.MaxValue, long.MaxValue,
    ];

    public static IEnumerable<Argument> Of(ParameterInfo parameter, Argument sound)
    {
        var type = parameter.ParameterType;
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        var values = bare switch
        {
            _ when bare == typeof(Tensor) => HostileTensors.Changes.Select(change => new Argument(change.Text, place => change.Of(SoundTensor(sound, place)))),
            _ when bare.IsEnum => Each([.. Enum.GetValues(bare).Cast<object>(), Enum.ToObject(bare, -1), Enum.ToObject(bare, 99), Enum.ToObject(bare, int.MaxValue)]),
            _ when bare == typeof(string) => parameter.Name == "path" ? HostileObjects.Paths() : Each(["", "\0", new string('(', 100_000), "no word", "def forward(self", "def forward(self):\n    ?"]),
            _ => Each(Simple(bare)).Concat(HostileObjects.Of(bare, sound)),
        };
        return bare.IsValueType && bare == type ? values : values.Append(Null);
    }

    private static IEnumerable<Argument> Each(IEnumerable<object?> values) => values.Select(value => new Argument(Text(value), _ => value));

    private static object?[] Simple(Type type) => type switch
    {
        _ when type == typeof(bool) => [false, true],
        _ when type == typeof(long) => [.. Longs.Cast<object>()],
        _ when type == typeof(int) => [.. Longs.Where(n => n is >= int.MinValue and <= int.MaxValue).Select(n => (object)(int)n)],
        _ when type == typeof(double) => [.. Doubles.Cast<object>()],
        _ when type == typeof(float) => [.. Doubles.Select(n => (object)(float)n)],
        _ when type == typeof(long[]) => [.. Lists().Cast<object>()],
        _ when type == typeof(int[]) => [.. Lists().Select(list => Array.ConvertAll(list, n => (int)Math.Clamp(n, int.MinValue, int.MaxValue)))],
        _ when type == typeof(double[]) => [Array.Empty<double>(), .. Doubles.Select(n => new[] { n }), .. Doubles.Select(n => new[] { n, 1 }), new double[99]],
        _ when type == typeof(Size) => [default(Size), .. Lists().Select(list => (object)new Size(list))],
        _ when type == typeof(long[][]) =>
        [
            Array.Empty<long[]>(), new long[]?[] { null }, new long[]?[] { [4], null }, .. Lists().Select(list => new[] { list }),
            .. Lists().Select(list => new long[][] { [4], list }),
        ],
        _ when type == typeof(int[][]) =>
        [
            Array.Empty<int[]>(), new int[]?[] { null, null }, new int[][] { [-1], [0] }, new int[][] { [int.MaxValue], [int.MinValue] },
            new int[][] { [0], [1], [2] }, new int[][] { [3, 3, 3], [] },
        ],
        _ => [],
    };

    private static IEnumerable<long[]> Lists() =>
        Longs.Select(n => new[] { n }).Concat(Longs.Select(n => new[] { 2, n })).Concat([[], [1, 1, 1], [0, 0], [2, 1, 2, 1, 2, 1, 2, 1], new long[99], [.. Enumerable.Repeat(1L << 40, 9)]]);

    internal static Tensor SoundTensor(Argument sound, Workplace place) => sound.Make(place) as Tensor ?? Seeded.Normal(1, [2, 3, 6, 7]);

    private static string Text(object? value) => value switch
    {
        null => "null",
        string text => $"\"{(text.Length > 20 ? text[..20] + "…" : text)}\"",
        Size size => $"Size {Text(size.Shape)}",
        Array list => $"[{string.Join(", ", list.Cast<object?>().Take(9).Select(Text))}{(list.Length > 9 ? $", … {list.Length} of them" : "")}]",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
