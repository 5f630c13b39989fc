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
    private static readonly HashSet<string> Keywords =
    [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
        "return", "try", "while", "with", "yield",
    ];

    private sealed record Member(string Name, string Type, object? Value);

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

        var place = $"{(path.Length == 0 ? "the model" : path)} ({module.GetType().FullName})";
        var definition = Definition(module, place);
        var parameters = module.named_parameters(recurse: false).Select(p => Tensor(p.name, p.parameter, place)).ToList();
        var buffers = module.named_buffers(recurse: false).Select(b => Tensor(b.name, b.buffer, place)).ToList();
        var attributes = definition.attributes.Select(a => new Member(a.name, TypeOf(a.value, place, a.name), a.value));
        var children = module.named_children().Select(child =>
        {
            var item = Object(child.module, path.Length == 0 ? child.name : $"{path}.{child.name}");
            return new Member(child.name, item.ClassName, item);
        });
        List<Member> members = [.. parameters, .. buffers, .. attributes, .. children];
        CheckNames(members, definition.methods, place);

        var body = new StringBuilder()
            .Append($"  __parameters__ = [{Quoted(parameters)}]\n")
            .Append($"  __buffers__ = [{Quoted(buffers)}]\n")
            .Append("  training : bool\n");
        foreach (var member in members)
        {
            body.Append(IsIdentifier(member.Name) ? $"  {member.Name} : {member.Type}\n" : $"  __annotations__[\"{member.Name}\"] = {member.Type}\n");
        }

        foreach (var line in definition.source.Split('\n'))
        {
            body.Append(line.Length == 0 ? "\n" : $"  {line}\n");
        }

        return objects[module] = new(Name(module, body.ToString()), module.training, [.. members.Select(m => (m.Name, m.Value))]);
    }

    /// <summary>How source reaches the member <paramref name="name"/>, which may be no Python identifier.</summary>
    public static string Reach(string name) => IsIdentifier(name) ? $"self.{name}" : $"getattr(self, \"{name}\")";

    private static ScriptDefinition Definition(nn.Module module, string place)
    {
        try
        {
            return (module as IScriptable)?.script() ?? BuiltInScripts.Find(module)
                ?? throw new NotSupportedException($"it has no TorchScript form: implement {nameof(IScriptable)}, or put a module of your own that does in its place");
        }
        catch (NotSupportedException e)
        {
            throw Refused(place, e.Message, e);
        }
    }

    /// <summary>libtorch reads back what it wrote only if member names are printable ASCII without quotes and backslashes,
    /// and no keywords.</summary>
    private static void CheckNames(List<Member> members, IReadOnlyList<string> methods, string place)
    {
        foreach (var name in members.Select(member => member.Name))
        {
            if (string.IsNullOrEmpty(name) || name.Any(c => c is < ' ' or > '~' or '"' or '\\'))
            {
                throw Refused(place, $"the name '{name}' of a member is not printable ASCII without quotes and backslashes");
            }

            if (Keywords.Contains(name))
            {
                throw Refused(place, $"the name '{name}' of a member is a keyword of Python");
            }
        }

        if (members.Select(m => m.Name).Concat(methods).Append("training").GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Refused(place, $"it has two members named '{twice.Key}'");
        }
    }

    private static Member Tensor(string name, Tensor value, string place) => Pickle.StorageOf(value.dtype) is null
        ? throw Refused(place, $"'{name}' is a tensor of {value.dtype}")
        : new(name, "Tensor", value);

    private static NotSupportedException Refused(string place, string why, Exception? inner = null) =>
        new($"{place} cannot be exported: {why}", inner);

    /// <summary>The name of the class with this body: one name for one body.</summary>
    private string Name(nn.Module module, string body)
    {
        var stem = NoIdentifier().Replace(module.GetType().Name.Split('`')[0], "_");
        stem = IsIdentifier(stem) ? stem : $"Module_{stem}";
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

    private static string TypeOf(object? value, string place, string name) => value switch
    {
        null => "NoneType",
        bool => "bool",
        int or long => "int",
        float or double => "float",
        string => "str",
        long[] => "List[int]",
        double[] => "List[float]",
        bool[] => "List[bool]",
        _ => throw Refused(
            place, $"'{name}' is of type {value.GetType().Name}, expected bool, int, long, float, double, string, long[], double[], bool[] or null"),
    };

    private static string Quoted(IEnumerable<Member> members) => string.Concat(members.Select(m => $"\"{m.Name}\", "));

    private static bool IsIdentifier(string name) => Identifier().IsMatch(name) && !Keywords.Contains(name);

    [GeneratedRegex("[^A-Za-z0-9_]")]
    private static partial Regex NoIdentifier();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Identifier();
}
