using System.Text;

namespace TorchPooling;

/// <summary>A class of the archive's source.</summary>
/// <param name="Kind">Module, NamedTuple, Interface, ModuleInterface, Enum, or empty.</param>
/// <param name="Attributes">Names and types of what its objects hold.</param>
/// <param name="Methods">Names of its methods.</param>
internal sealed record ScriptClass(string Kind, IReadOnlyList<(string Name, string Type)> Attributes, IReadOnlySet<string> Methods);

/// <summary>The classes of the archive's source, read when they are asked for.</summary>
internal sealed class ScriptSource
{
    private readonly Dictionary<string, ScriptClass> classes = [];
    private readonly Dictionary<string, string> modules = new(StringComparer.OrdinalIgnoreCase);   // as libtorch looks entries up

    private readonly SourceDepth depth = new();

    /// <param name="sources">Entries of source by their names, code/__torch__/….py.</param>
    public ScriptSource(IEnumerable<(string Entry, byte[] Bytes)> sources)
    {
        foreach (var (entry, bytes) in sources)
        {
            modules[entry] = entry;
            var lines = new SourceLines(entry, Encoding.Latin1.GetString(bytes)).Read();
            depth.Add(entry, lines);
            SourceRules.Check(entry, lines);
            for (var i = 0; i < lines.Count; i++)
            {
                if (lines[i] is { Indent: 0, First: "class", Tokens: [_, var name, ..] } head)
                {
                    var body = lines.Skip(i + 1).TakeWhile(line => line.Indent > 0).ToList();
                    classes[$"{entry}:{name}"] = Class(head.Tokens is [_, _, "(", var kind, ")", ":"] ? kind : "", body);
                }
            }
        }
    }

    /// <summary>The class of that full name, __torch__.module.Class, or null.</summary>
    public ScriptClass? Find(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot > 0 && modules.TryGetValue($"code/{name[..dot].Replace('.', '/')}.py", out var entry)
            ? classes.GetValueOrDefault($"{entry}:{name[(dot + 1)..]}")
            : null;
    }

    private static ScriptClass Class(string kind, List<SourceLine> body)
    {
        var statements = body.Where(line => line.Indent == body[0].Indent).ToList();
        var attributes = statements.Select(line => Attribute(line, kind)).OfType<(string, string)>().ToList();
        var methods = statements.Where(line => line is { First: "def", Tokens.Length: > 1 }).Select(line => line.Tokens[1]).ToHashSet();
        return new(kind, attributes, methods);
    }

    /// <summary>The attribute that a statement like <c>name : type</c> or <c>__annotations__["name"] = type</c> declares; with a
    /// value it is a constant, but for a field of a NamedTuple.</summary>
    private static (string, string)? Attribute(SourceLine line, string kind) => line.Tokens switch
    {
        ["def", ..] => null,
        [var name, ":", .. var type] when kind == "NamedTuple" || !type.Contains("=") => (name, string.Concat(type.TakeWhile(token => token != "="))),
        ["__annotations__", "[", var name, "]", "=", .. var type] => (name[1..^1], string.Concat(type)),
        _ => null,
    };
}
