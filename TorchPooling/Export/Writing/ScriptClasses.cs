using System.Text;
using static TorchSharp.torch;

namespace TorchPooling;

/// <summary>A module of the model as the archive holds it: its values by name, and its class.</summary>
internal sealed record ScriptObject(
    string ClassName, bool Training, IReadOnlyList<(string Name, object? Value)> Values);

/// <summary>Turns a module tree into objects and the source of their classes; equal classes are written once.</summary>
internal sealed class ScriptClasses
{
    private sealed record Member(string Name, string Type, object? Value);

    private readonly string rootMethods;
    private readonly Dictionary<string, string> namesByBody = [];
    private readonly HashSet<string> names = [];
    private readonly Dictionary<nn.Module, ScriptObject> objects = new(ReferenceEqualityComparer.Instance);
    private readonly StringBuilder source = new();
    private readonly List<(int FirstLine, string Place, string Members)> places = [];
    private readonly List<string> own = [];
    private readonly HashSet<nn.Module> entered = new(ReferenceEqualityComparer.Instance);
    private int lines;

    /// <param name="root">The model.</param>
    /// <param name="methods">TorchScript methods that the root has beside its own, or nothing.</param>
    public ScriptClasses(nn.Module root, string methods)
    {
        rootMethods = methods;
        Root = Object(root, "");
    }

    /// <summary>The model.</summary>
    public ScriptObject Root { get; }

    /// <summary>The source of all classes so far, children before parents.</summary>
    public string Source => source.ToString();

    /// <summary>The module whose class has this line of <see cref="Source"/>, by its name from the root and its type,
    /// and what it has.</summary>
    public (string, string Members) Place(int line)
    {
        var (_, place, members) = places.Last(place => place.FirstLine <= line);
        return (place, members);
    }

    /// <summary>For messages: the modules whose forms are neither TorchSharp's nor this library's; nothing where there are none.</summary>
    public string OwnForms => own.Count == 0 ? "" : $" (forms of one's own: {string.Join(", ", own)})";

    /// <param name="module">The module; a module that the model holds twice is one object.</param>
    /// <param name="path">Its name from the root, for error messages.</param>
    /// <exception cref="NotSupportedException">A module below has no TorchScript form.</exception>
    private ScriptObject Object(nn.Module module, string path)
    {
        if (objects.TryGetValue(module, out var known))
        {
            return known;
        }

        var place = $"{(path.Length == 0 ? "the model" : path)} ({module.GetType()})";
        if (!entered.Add(module))
        {
            throw Refused(place, "it contains itself");
        }

        var definition = Definition(module, place);
        var tensors = ModuleTensors.Own(module).ToLookup(tensor => tensor.IsParameter, tensor => Tensor(tensor.Name, tensor.Value, place));
        List<Member> parameters = [.. tensors[true]], buffers = [.. tensors[false]];
        var attributes = definition.attributes.Select(a => (a.name, value: Widened(a.value)))
            .Select(a => new Member(ScriptNames.Of(a.name), TypeOf(a.value, place, a.name), a.value));
        var children = module.named_children().Select(child =>
        {
            var item = Object(child.module, path.Length == 0 ? child.name : $"{path}.{child.name}");
            return new Member(ScriptNames.Of(child.name), item.ClassName, item);
        });
        List<Member> members = [.. parameters, .. buffers, .. attributes, .. children];
        if (module.GetType().Assembly is var assembly && assembly != typeof(nn.Module).Assembly && assembly != typeof(ScriptClasses).Assembly)
        {
            own.Add(place);
        }

        CheckNames(members, definition.methods, place);

        var body = new StringBuilder()
            .Append($"  __parameters__ = [{Quoted(parameters)}]\n")
            .Append($"  __buffers__ = [{Quoted(buffers)}]\n")
            .Append("  training : bool\n");
        foreach (var member in members)
        {
            body.Append(ScriptNames.IsIdentifier(member.Name) ? $"  {member.Name} : {member.Type}\n" : $"  __annotations__[\"{member.Name}\"] = {member.Type}\n");
        }

        var source = path.Length == 0 ? $"{definition.source}\n{rootMethods}" : definition.source;
        foreach (var line in source.TrimEnd().Split('\n'))
        {
            body.Append(line.Length == 0 ? "\n" : $"  {line}\n");
        }

        return objects[module] = new(Name(module, body.ToString(), place, members), module.training, [.. members.Select(m => (m.Name, m.Value))]);
    }

    private static ScriptDefinition Definition(nn.Module module, string place)
    {
        ScriptDefinition? definition;
        try
        {
            definition = ScriptForms.Find(module);
        }
        catch (NotSupportedException e)
        {
            throw Refused(place, e.Message, e);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{place} could not say its TorchScript form: {e.Message}", e);
        }

        return definition is not null ? definition
            : module is IScriptable ? throw Refused(place, $"its {nameof(IScriptable.script)}() gives null")
            : throw new NotSupportedException($"{place} has no TorchScript form: implement {nameof(IScriptable)} or register one");
    }

    private static void CheckNames(List<Member> members, IReadOnlyList<string> methods, string place)
    {
        if (members.Select(m => m.Name).Concat(methods).Append("training").GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Refused(place, $"it has two members named '{twice.Key}'");
        }
    }

    private static Member Tensor(string name, Tensor value, string place) =>
        value.is_sparse ? throw Refused(place, $"'{name}' is a sparse tensor")
        : Pickle.StorageOf(value.dtype) is null ? throw Refused(place, $"'{name}' is a tensor of {value.dtype}")
        : new(ScriptNames.Of(name), "Tensor", value);

    private static NotSupportedException Refused(string place, string why, Exception? inner = null) =>
        new($"{place} cannot be exported: {why}", inner);

    /// <summary>The name of the class with this body: one name for one body.</summary>
    private string Name(nn.Module module, string body, string place, List<Member> members)
    {
        var stem = ScriptNames.Identifier(module.GetType().Name.Split('`')[0]);
        var key = stem + "\n" + body;
        if (!namesByBody.TryGetValue(key, out var name))
        {
            var short_name = stem;
            for (var i = 1; !names.Add(short_name); i++)
            {
                short_name = $"{stem}_{i}";
            }

            name = namesByBody[key] = "__torch__." + short_name;
            places.Add((lines + 1, place, members.Count == 0 ? "no members" : string.Join(", ", members.Select(member => member.Name))));
            source.Append($"class {short_name}(Module):\n{body}\n");
            lines += body.Count(c => c == '\n') + 2;
        }

        return name;
    }

    private static object? Widened(object? value) => value switch
    {
        int[] list => Array.ConvertAll(list, item => (long)item),
        float[] list => Array.ConvertAll(list, item => (double)item),
        _ => value,
    };

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
        Tensor tensor => Tensor(name, tensor, place).Type,
        _ => throw Refused(
            place, $"'{name}' is of type {value.GetType().Name}, expected bool, string, Tensor, null, a number of type int, long, float or double, or an array of those or of bool"),
    };

    private static string Quoted(IEnumerable<Member> members) => string.Concat(members.Select(m => $"\"{m.Name}\", "));
}
