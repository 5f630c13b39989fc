namespace TorchPooling;

/// <summary>A type as source and data write it: a name and the types in its brackets.</summary>
internal sealed record TypeText(string Name, IReadOnlyList<TypeText> Of)
{
    private const int MaxDepth = 50;

    /// <exception cref="InvalidDataException">The text is no type.</exception>
    public static TypeText Parse(string text)
    {
        var rest = text.AsSpan();
        var type = Read(ref rest, text, 0);
        return rest.Length == 0 ? type : throw Bad(text);
    }

    public override string ToString() => Of.Count == 0 ? Name : $"{Name}[{string.Join(",", Of)}]";

    private static TypeText Read(ref ReadOnlySpan<char> rest, string text, int depth)
    {
        rest = rest.TrimStart(' ');
        var length = 0;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || rest[length] is '_' or '.'))
        {
            length++;
        }

        var name = rest[..length].ToString();
        rest = rest[length..].TrimStart(' ');
        if (length == 0 || depth > MaxDepth)
        {
            throw Bad(text);
        }

        return new(name, rest is ['[', ..] ? Arguments(ref rest, text, depth) : []);
    }

    private static List<TypeText> Arguments(ref ReadOnlySpan<char> rest, string text, int depth)
    {
        List<TypeText> of = [];
        if (rest is ['[', '(', ')', ']', ..])
        {
            rest = rest[4..];   // Tuple[()]
            return of;
        }

        while (rest is ['[' or ',', ..])
        {
            rest = rest[1..];
            of.Add(Read(ref rest, text, depth + 1));
        }

        rest = rest is [']', ..] ? rest[1..].TrimStart(' ') : throw Bad(text);
        return of;
    }

    private static InvalidDataException Bad(string text) =>
        new($"is damaged: '{(text.Length > 80 ? text[..80] + "…" : text)}' is no type of TorchScript");
}
