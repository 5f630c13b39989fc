using System.Reflection;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>An argument, made anew for every call.</summary>
internal sealed record Argument(string Text, Func<Workplace, object?> Make);

/// <summary>Arguments that every public member accepts, by the names and types of its parameters.</summary>
/// <remarks>A row is looked up as <c>Type.method.parameter</c> (a constructor's: <c>Type.parameter</c>), then <c>method.parameter</c>, then
/// <c>parameter</c>; of several the first that has the parameter's type. Where there is none, the parameter's own default.</remarks>
internal static partial class Sound
{
    private static readonly Dictionary<string, List<(Type Type, Func<Workplace, object?> Make)>> Rows = [];

    static Sound()
    {
        AddTensors();
        AddNumbers();
        AddOthers();
    }

    /// <summary>What the parameter takes; null where the table has no row for it and it has no default.</summary>
    public static Argument? Of(Member member, ParameterInfo parameter)
    {
        var key = Keys(member, parameter).Select(key => Row(key, parameter.ParameterType)).FirstOrDefault(row => row is not null);
        if (key is not null)
        {
            return new("sound", key);
        }

        if (parameter.HasDefaultValue)
        {
            return new("default", _ => Default(parameter));
        }

        var type = parameter.ParameterType;
        return type == typeof(bool) || type.IsEnum ? new("first", _ => Activator.CreateInstance(type)) : null;
    }

    /// <summary>An object to call a method on; null for what is static.</summary>
    public static object? Target(Member member, Workplace place)
    {
        if (member.Method.IsStatic || member.IsConstructor)
        {
            return null;
        }

        if (member.Name == "Salad.forward(x)")
        {
            return new Salad(3, 4, 2, hidden: 2);   // one that takes a token takes no map alone
        }

        var constructor = member.Type.GetConstructors()[0];
        var maker = new Member(member.Type, constructor);
        var target = maker.Call(null, Array.ConvertAll(maker.Parameters, p => Of(maker, p)?.Make(place)));
        if (target is HardNegativeMiner miner)
        {
            miner.Refresh(rand(2, 4), rand(12, 4));
        }

        return target;
    }

    private static IEnumerable<string> Keys(Member member, ParameterInfo parameter) =>
        [$"{member.Key}.{parameter.Name}", $"{member.Method.Name}.{parameter.Name}", parameter.Name!];

    private static Func<Workplace, object?>? Row(string key, Type type) =>
        Rows.GetValueOrDefault(key)?.FirstOrDefault(row => (Nullable.GetUnderlyingType(type) ?? type).IsAssignableFrom(row.Type)).Make;

    private static object? Default(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return parameter.DefaultValue is { } value && type.IsEnum ? Enum.ToObject(type, value) : parameter.DefaultValue;
    }

    private static void Add<T>(string keys, Func<Workplace, T> make)
    {
        foreach (var key in keys.Split(' '))
        {
            if (!Rows.TryGetValue(key, out var rows))
            {
                Rows[key] = rows = [];
            }

            rows.Add((typeof(T), place => make(place)));
        }
    }

    private static void Add<T>(string keys, T value) => Add(keys, _ => value);

    private static void AddTensor(string keys, params long[] shape) => Add(keys, _ => Seeded.Normal(1, shape));
}
