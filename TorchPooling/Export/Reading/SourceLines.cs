namespace TorchPooling;

/// <summary>A logical line of source: how far it is indented, its tokens, and how deep an expression in it may nest.</summary>
internal sealed record SourceLine(int Indent, string[] Tokens, int Depth)
{
    public string First => Tokens[0];
}

/// <summary>Takes TorchScript source apart as libtorch does, far enough to see classes, attributes and how deep things nest.</summary>
/// <param name="entry">The archive's entry, for messages.</param>
/// <param name="text">The source.</param>
internal sealed class SourceLines(string entry, string text)
{
    private const int MaxDepth = 500;   // of an expression

    private static readonly HashSet<string> Operators = ["if", "else", "and", "or", "not", "in", "is", "for", "lambda"];

    private readonly List<SourceLine> lines = [];
    private readonly Stack<(char Close, int Above)> brackets = [];
    private readonly List<string> tokens = [];
    private int position;
    private int line = 1;
    private int indent;
    private int operators;   // that may nest in each other, since the last comma
    private int deepest;

    /// <exception cref="InvalidDataException">Brackets do not match, a string does not end, or an expression nests too deep.</exception>
    public IReadOnlyList<SourceLine> Read()
    {
        indent = Blank();
        while (position < text.Length)
        {
            Token();
            Blank();
        }

        Demand(brackets.Count == 0, "a bracket is not closed");
        EndLine();
        return lines;
    }

    private void Token()
    {
        switch (text[position])
        {
            case '\n':
                position++;
                line++;
                EndLine(Blank());
                break;
            case '#' when !At("# type:"):
                position = text.IndexOf('\n', position) is >= 0 and var end ? end : text.Length;
                break;
            case '\\' when At("\\\n"):
                position += 2;
                line++;
                break;
            case '"' or '\'':
                Add(Text());
                break;
            case '(' or '[' or '{':
                Open();
                break;
            case ')' or ']' or '}':
                Close();
                break;
            case ',':
                operators = brackets.Count > 0 ? brackets.Peek().Above : 0;
                Add(",");
                break;
            default:
                Word();
                break;
        }
    }

    private void Word()
    {
        var start = position;
        while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_'))
        {
            position++;
        }

        var isWord = position > start;
        var word = isWord ? text[start..position] : $"{text[position++]}";
        if (!isWord || Operators.Contains(word))
        {
            Deeper();
        }

        tokens.Add(word);
    }

    private void Open()
    {
        Deeper();
        brackets.Push((text[position] switch { '(' => ')', '[' => ']', _ => '}' }, operators));
        Add($"{text[position]}");
    }

    private void Close()
    {
        Demand(brackets.Count > 0 && brackets.Peek().Close == text[position], "brackets do not match");
        operators = brackets.Pop().Above;
        Add($"{text[position]}");
    }

    private void Deeper()
    {
        Demand(++operators <= MaxDepth, $"an expression nests deeper than {MaxDepth}");
        deepest = Math.Max(deepest, operators);
    }

    private void Add(string token)
    {
        tokens.Add(token);
        position += token.Length;
    }

    /// <summary>A string with its quotes, one or three of them.</summary>
    private string Text()
    {
        var quote = text[position];
        var quotes = At(new string(quote, 3)) ? new string(quote, 3) : $"{quote}";
        var end = position + quotes.Length;
        while (end < text.Length && string.CompareOrdinal(text, end, quotes, 0, quotes.Length) != 0)
        {
            Demand(text[end] != '\n' || quotes.Length == 3, "a string does not end");
            end += text[end] == '\\' ? 2 : 1;
        }

        Demand(end < text.Length, "a string does not end");
        return text[position..(end + quotes.Length)];
    }

    private void EndLine(int next = 0)
    {
        if (brackets.Count > 0)
        {
            return;
        }

        if (tokens.Count > 0)
        {
            lines.Add(new(indent, [.. tokens], deepest));
            tokens.Clear();
        }

        (indent, operators, deepest) = (next, 0, 0);
    }

    /// <summary>Skips white space within the line and says how much it was.</summary>
    private int Blank()
    {
        var start = position;
        while (position < text.Length && text[position] is ' ' or '\t' or '\r' or '\v' or '\f')
        {
            position++;
        }

        return position - start;
    }

    private bool At(string expected) => string.CompareOrdinal(text, position, expected, 0, expected.Length) == 0;

    private void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException($"has source that is no TorchScript: {otherwise} (entry {entry}, line {line})");
        }
    }
}
