namespace TorchPooling;

/// <summary>Refuses what libtorch would run while it compiles, or what ends the process wherever it runs.</summary>
internal static class SourceRules
{
    private static readonly HashSet<string> Divisions = ["remainder", "floordiv", "floor_divide", "divmod", "gcd"];

    /// <exception cref="InvalidDataException">A default value calls something, or a divisor is 0.</exception>
    public static void Check(string entry, IEnumerable<SourceLine> lines)
    {
        foreach (var line in lines)
        {
            var tokens = line.Tokens;
            for (var i = 1; i < tokens.Length; i++)
            {
                var called = tokens[i] == "(" && IsName(tokens[i - 1]) ? tokens[i - 1] : null;
                if (line.First == "def" && i > 2 && called is not (null or "annotate" or "device"))
                {
                    throw Refused(entry, $"a default value of {tokens[1]} calls {called}, which would run while it is loaded");
                }

                if ((called is not null && Divisions.Contains(called) && LastArgument(tokens, i) is "0") || IsByZero(tokens, i))
                {
                    throw Refused(entry, "a whole number is divided by 0, which ends the process");
                }
            }
        }
    }

    /// <summary><c>a % 0</c>, and <c>a // 0</c>, whose sign is two tokens.</summary>
    private static bool IsByZero(string[] tokens, int i) =>
        tokens[i] == "0" && (i + 1 == tokens.Length || tokens[i + 1] != ".") && (tokens[i - 1] == "%" || (i > 1 && tokens[i - 1] == "/" && tokens[i - 2] == "/") || (i > 1 && tokens[i - 1] == "=" && tokens[i - 2] == "%"));

    /// <summary>The last argument of a call where it is one token.</summary>
    private static string? LastArgument(string[] tokens, int open)
    {
        var depth = 0;
        for (var i = open; i < tokens.Length; i++)
        {
            depth += tokens[i] is "(" or "[" or "{" ? 1 : tokens[i] is ")" or "]" or "}" ? -1 : 0;
            if (depth == 0)
            {
                var last = tokens[i - 1] == "," ? i - 2 : i - 1;
                return tokens[last - 1] is "," or "=" ? tokens[last] : null;
            }
        }

        return null;
    }

    private static bool IsName(string token) => char.IsAsciiLetter(token[0]) || token[0] == '_';

    private static InvalidDataException Refused(string entry, string why) => new($"has source that is refused: {why} (entry {entry})");
}
