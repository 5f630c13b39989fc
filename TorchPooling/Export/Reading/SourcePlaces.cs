namespace TorchPooling;

/// <summary>Checks the entries that say which line of the author's source a piece of the archive's source came from: libtorch
/// follows their numbers when it reports an error.</summary>
internal static class SourcePlaces
{
    private const int Slack = 1000;   // PyTorch keeps the end of a text that it takes the indent off, and writes (0, 1) for none

    /// <summary>Checks what the entry <paramref name="name"/> holds.</summary>
    /// <exception cref="InvalidDataException">It leads out of the texts that it names.</exception>
    public static void Check(object? value, string name)
    {
        var fits = value switch
        {
            PickleTuple { Items: ["FORMAT_WITH_STRING_TABLE", PickleTuple { Items: var texts }, PickleTuple { Items: var rows }] } =>
                texts.All(text => text is string) && rows.All(row => Fits(row, source => InTable(source, texts))),
            PickleTuple { Items: var rows } => rows.All(row => Fits(row, Alone)),
            _ => false,
        };
        if (!fits)
        {
            throw new InvalidDataException($"is damaged: entry {name} does not say where its source came from");
        }
    }

    /// <summary>A row: an offset, where the code there came from, and maybe a number for it; the order depends on the version.</summary>
    private static bool Fits(object? row, Func<object?, long?> length)
    {
        var place = row switch
        {
            PickleTuple { Items: [long, PickleTuple last] } => last,
            PickleTuple { Items: [long, PickleTuple middle, long] } => middle,
            PickleTuple { Items: [long, long, PickleTuple last] } => last,
            _ => null,
        };
        return place is { Items: [var source, long start, long end] } && length(source) is { } all && start >= 0 && start <= end && start <= all && end <= all + Slack;
    }

    /// <summary>The length of the source (text, file name, first line).</summary>
    private static long? Alone(object? source) =>
        source is PickleTuple { Items: [string text, string or null, long] } ? text.Length : null;

    /// <summary>The length of the source (numbers of texts, number of the file name, first line).</summary>
    private static long? InTable(object? source, object?[] texts)
    {
        if (source is not PickleTuple { Items: [PickleList { Type: "List[int]" } numbers, long name, long] } || name < 0 || name >= texts.Length)
        {
            return null;
        }

        long length = 0;
        foreach (long number in numbers.Items.Cast<long>())
        {
            if (number < 0 || number >= texts.Length)
            {
                return null;
            }

            length += ((string)texts[number]!).Length;
        }

        return length;
    }
}
