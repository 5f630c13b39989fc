using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace TorchPooling;

/// <summary>Says of a mistake in TorchScript source which module it is in, and what to do about the frequent ones.</summary>
internal static partial class CompileError
{
    private const string Children = " (a child of a ModuleList or ModuleDict is called as getattr(self.blocks, \"0\").forward(x), each by itself)";
    private const string Functions = " (functions are those of ATen: torch.relu(x), torch.conv2d(…); torch.nn.functional is not there)";

    public static InvalidOperationException Of(ExternalException e, ScriptClasses classes)
    {
        var message = Noise().Replace(ScriptLoader.Message(e), "");
        var (place, members) = Line().Match(message) is { Success: true } line
            ? classes.Place(int.Parse(line.Groups[1].ValueSpan, CultureInfo.InvariantCulture))
            : ("a module", "");
        return new($"the TorchScript source of {place} does not compile{Hint(message, members)}: {message}", e);
    }

    private static string Hint(string message, string members) => new[]
    {
        ("'__call__'", " (a child is called as self.child.forward(x))"),
        ("'__getitem__'", Children),
        ("is not iterable", Children),
        ("object has no attribute or method", $" (it has {members}: RegisterComponents() finds children, parameters and buffers, settings are the second argument of ScriptDefinition)"),
        ("attribute lookup is not defined on builtin", Functions),
        ("undefined value F", Functions),
        ("Expected a value of type 'float' for argument", " (an attribute given as int is an int, and no float)"),
    }.FirstOrDefault(hint => message.Contains(hint.Item1, StringComparison.Ordinal)).Item2 ?? "";

    [GeneratedRegex(@" \(of Python compilation unit at: 0x[0-9a-f]+\)|\. Did you forget to initialize an attribute in __init__\(\)\?")]
    private static partial Regex Noise();

    [GeneratedRegex("File \"code/__torch__.py\", line (\\d+)")]
    private static partial Regex Line();
}
