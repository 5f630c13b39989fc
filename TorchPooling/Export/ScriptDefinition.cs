using System.Text.RegularExpressions;

namespace TorchPooling;

/// <summary>What TorchScript needs to know of a module beyond its parameters, buffers and children.</summary>
public sealed partial class ScriptDefinition
{
    /// <param name="source">TorchScript methods, <c>def forward(self, x: Tensor) -> Tensor:</c> among them, without a class
    /// around them and without indentation. Children are called as <c>self.child.forward(x)</c>, those of a ModuleList or
    /// ModuleDict as <c>getattr(self.blocks, "0").forward(x)</c>; <c>self.training</c> is there; dtypes compare as integers:
    /// 5 is float16, 6 float32, 7 float64, 15 bfloat16. Types are written as <c>Tensor</c>, <c>Optional[Tensor]</c>,
    /// <c>List[Tensor]</c>, <c>Tuple[Tensor, Tensor]</c>, <c>int</c>, <c>float</c>, <c>bool</c>, <c>List[int]</c>.</param>
    /// <param name="attributes">Settings that the source reads as <c>self.name</c>: bool, int, long, float, double, string, an
    /// array of long, double or bool, or a constant Tensor; null is TorchScript's None.</param>
    /// <exception cref="ArgumentException"><paramref name="source"/> has no method <c>forward</c>.</exception>
    public ScriptDefinition(string source, params (string name, object? value)[] attributes)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(attributes);
        this.source = source.ReplaceLineEndings("\n").Trim('\n');
        this.attributes = [.. attributes];
        methods = [.. Method().Matches(this.source).Select(match => match.Groups[1].Value)];
        if (!methods.Contains("forward"))
        {
            throw new ArgumentException("expected TorchScript source with a method 'def forward(self, …)'", nameof(source));
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

    [GeneratedRegex(@"^def\s+(\w+)\s*\(\s*self\b", RegexOptions.Multiline)]
    private static partial Regex Method();
}
