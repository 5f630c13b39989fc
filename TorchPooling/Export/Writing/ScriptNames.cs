using System.Text;
using System.Text.RegularExpressions;

namespace TorchPooling;

/// <summary>How member names are written in TorchScript. libtorch reads back what it wrote only if they are printable ASCII
/// without quotes, backslashes and dots, and no keywords of Python.</summary>
internal static partial class ScriptNames
{
    private static readonly HashSet<string> Keywords =
    [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
        "return", "try", "while", "with", "yield", "__annotations__", "__parameters__", "__buffers__",
    ];

    /// <summary>The name in the file: itself where it can be, <c>lambda_</c> for a keyword, <c>gr_u00f6_u00dfe</c> for größe.</summary>
    public static string Of(string name)
    {
        if (Keywords.Contains(name))
        {
            return name + "_";
        }

        var written = new StringBuilder();
        foreach (var c in name)
        {
            _ = c is < ' ' or > '~' or '"' or '\\' or '.' ? written.Append($"_u{(int)c:x4}") : written.Append(c);
        }

        return written.ToString();
    }

    /// <summary>How source reaches the member with this C# name, which may be no Python identifier.</summary>
    public static string Reach(string name) => IsIdentifier(Of(name)) ? $"self.{Of(name)}" : $"getattr(self, \"{Of(name)}\")";

    public static bool IsIdentifier(string name) => Identifier().IsMatch(name) && !Keywords.Contains(name);

    /// <summary>An identifier that reads like <paramref name="name"/>.</summary>
    public static string Identifier(string name)
    {
        var stem = NoIdentifier().Replace(name, "_");
        return IsIdentifier(stem) ? stem : $"Module_{stem}";
    }

    [GeneratedRegex("[^A-Za-z0-9_]")]
    private static partial Regex NoIdentifier();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Identifier();
}
