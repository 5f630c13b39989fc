using System.Text;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A module of the model as the archive holds it: its values by name, and its class.</summary>
internal sealed record ScriptObject(
    string ClassName, bool Training, IReadOnlyList<(string Name, object? Value)> Values);

/// <summary>Turns a module tree into objects and the source of their classes; equal classes are written once.</summary>
internal sealed partial class ScriptClasses
{
    private readonly Dictionary<string, string> namesByBody = [];
    private readonly HashSet<string> names = [];
    private readonly Dictionary<nn.Module, ScriptObject> objects = new(ReferenceEqualityComparer.Instance);
    private readonly StringBuilder source = new();

    /// <summary>The source of all classes so far, children before parents.</summary>
    public string Source => source.ToString();

    /// <param name="module">The module; a module that the model holds twice is one object.</param>
    /// <param name="path">Its name from the root, for error messages.</param>
    /// <exception cref="NotSupportedException">A module below has no TorchScript form.</exception>
    public ScriptObject Object(nn.Module module, string path)
    {
        if (objects.TryGetValue(module, out var known))
        {
            return known;
        }

        var definition = Definition(module, path);
        var parameters = module.named_parameters(recurse: false).ToList();
        var buffers = module.named_buffers(recurse: false).ToList();
        var children = module.named_children()
            .Select(child => (child.name, value: Object(child.module, path.Length == 0 ? child.name : $"{path}.{child.name}")))
            .ToList();

        var body = new StringBuilder()
            .Append($"  __parameters__ = [{Quoted(parameters.Select(p => p.name))}]\n")
            .Append($"  __buffers__ = [{Quoted(buffers.Select(b => b.name))}]\n")
            .Append("  training : bool\n");
        foreach (var (name, type) in parameters.Select(p => (p.name, "Tensor"))
            .Concat(buffers.Select(b => (b.name, "Tensor")))
            .Concat(definition.attributes.Select(a => (a.name, TypeOf(a.value, path, a.name))))
            .Concat(children.Select(c => (c.name, c.value.ClassName))))
        {
            body.Append(IsIdentifier(name) ? $"  {name} : {type}\n" : $"  __annotations__[\"{name}\"] = {type}\n");
        }

        foreach (var line in definition.source.Split('\n'))
        {
            body.Append(line.Length == 0 ? "\n" : $"  {line}\n");
        }

        var values = parameters.Select(p => (p.name, (object?)p.parameter))
            .Concat(buffers.Select(b => (b.name, (object?)b.buffer)))
            .Concat(definition.attributes.Select(a => (a.name, a.value)))
            .Concat(children.Select(c => (c.name, (object?)c.value)))
            .ToList();
        return objects[module] = new(Name(module, body.ToString()), module.training, values);
    }

    /// <summary>How source reaches the member <paramref name="name"/>, which may be no Python identifier.</summary>
    public static string Member(string name) => IsIdentifier(name) ? $"self.{name}" : $"getattr(self, \"{name}\")";

    private static ScriptDefinition Definition(nn.Module module, string path)
    {
        var place = $"{(path.Length == 0 ? "the model" : path)} ({module.GetType().FullName})";
        try
        {
            return (module as IScriptable)?.script() ?? BuiltInScripts.Find(module)
                ?? throw new NotSupportedException($"it has no TorchScript form: implement {nameof(IScriptable)}");
        }
        catch (NotSupportedException e)
        {
            throw new NotSupportedException($"{place} cannot be exported: {e.Message}", e);
        }
    }

    /// <summary>The name of the class with this body: one name for one body.</summary>
    private string Name(nn.Module module, string body)
    {
        var stem = module.GetType().Name.Split('`')[0];
        var key = stem + "\n" + body;
        if (!namesByBody.TryGetValue(key, out var name))
        {
            var short_name = stem;
            for (var i = 1; !names.Add(short_name); i++)
            {
                short_name = $"{stem}_{i}";
            }

            name = namesByBody[key] = "__torch__." + short_name;
            source.Append($"class {short_name}(Module):\n{body}\n");
        }

        return name;
    }

    private static string TypeOf(object? value, string path, string name) => value switch
    {
        null => "NoneType",
        bool => "bool",
        int or long => "int",
        float or double => "float",
        string => "str",
        long[] => "List[int]",
        double[] => "List[float]",
        bool[] => "List[bool]",
        _ => throw new NotSupportedException(
            $"{(path.Length == 0 ? name : $"{path}.{name}")} cannot be exported: expected bool, int, long, double, string, "
            + $"long[], double[], bool[] or null, got {value.GetType().Name}"),
    };

    private static string Quoted(IEnumerable<string> names) => string.Concat(names.Select(n => $"\"{n}\", "));

    private static bool IsIdentifier(string name) => Identifier().IsMatch(name);

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Identifier();
}
