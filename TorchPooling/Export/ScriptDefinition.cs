using System.Text.RegularExpressions;

namespace TorchPooling;

/// <summary>What TorchScript needs to know of a module beyond its parameters, buffers and children.</summary>
public sealed partial class ScriptDefinition
{
    /// <param name="source">TorchScript methods, <c>def forward(self, x: Tensor) -> Tensor:</c> among them, without a class
    /// around them and without indentation. Children are called as <c>self.child.forward(x)</c>, those of a ModuleList or
    /// ModuleDict as <c>getattr(self.blocks, "0").forward(x)</c>; <c>self.training</c> is there; dtypes compare as integers:
    /// 5 is float16, 6 float32, 7 float64, 15 bfloat16. Types are written as <c>Tensor</c>, <c>Optional[Tensor]</c>,
    /// <c>List[Tensor]</c>, <c>Tuple[Tensor, Tensor]</c>, <c>int</c>, <c>float</c>, <c>bool</c>, <c>List[int]</c>. Functions are
    /// those of ATen as <c>torch.relu(x)</c>: <c>torch.nn.functional</c>, <c>torch.linalg.norm</c> (it is
    /// <c>torch.linalg_norm</c>) and <c>math</c> are not there. A built-in child takes and gives what it does in TorchSharp,
    /// tuples as tuples.</param>
    /// <param name="attributes">Settings that the source reads as <c>self.name</c>: bool, a number (an int or a long is an
    /// int, a float or a double a float), string, an array of numbers or bool, a constant Tensor; null is TorchScript's None.</param>
    /// <exception cref="ArgumentException"><paramref name="source"/> has no method <c>forward</c>.</exception>
    public ScriptDefinition(string source, params (string name, object? value)[] attributes)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(attributes);
        if (attributes.Any(attribute => string.IsNullOrEmpty(attribute.name)))
        {
            throw new ArgumentException("expected a name for every attribute", nameof(attributes));
        }

        this.source = Dedented(source.ReplaceLineEndings("\n").Trim('\n'));
        this.attributes = [.. attributes];
        methods = [.. Method().Matches(this.source).Select(match => match.Groups[1].Value)];
        if (!methods.Contains("forward"))
        {
            throw new ArgumentException(
                $"expected TorchScript source with a method 'def forward(self, …)' and no class around it, got '{this.source.Split('\n')[0]}'", nameof(source));
        }
    }

    private ScriptDefinition()
    {
        source = "";
        attributes = [];
        methods = [];
    }

    /// <summary>The methods, as given.</summary>
    public string source { get; }

    /// <summary>The settings, as given.</summary>
    public IReadOnlyList<(string name, object? value)> attributes { get; }

    /// <summary>Names of the methods in <see cref="source"/>.</summary>
    internal IReadOnlyList<string> methods { get; }

    /// <summary>A module that holds others and computes nothing.</summary>
    internal static ScriptDefinition Container { get; } = new();

    private static string Dedented(string source)
    {
        var indent = source.Length - source.TrimStart(' ').Length;
        return string.Join('\n', source.Split('\n').Select(line => line[Math.Min(indent, line.Length - line.TrimStart(' ').Length)..]));
    }

    [GeneratedRegex(@"^def\s+(\w+)\s*\(\s*self\b", RegexOptions.Multiline)]
    private static partial Regex Method();
}
