using System.Reflection;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>A public constructor, function or method of the library.</summary>
/// <param name="Type">The type that it makes, or is called on, which may inherit it.</param>
/// <param name="Method">Without open type parameters.</param>
internal sealed record Member(Type Type, MethodBase Method)
{
    public ParameterInfo[] Parameters { get; } = Method.GetParameters();

    public bool IsConstructor => Method.IsConstructor;

    /// <summary>Whether training mode or eval mode may matter.</summary>
    public bool IsOfModule => !Method.IsStatic && !IsConstructor && Type.IsSubclassOf(typeof(nn.Module));

    /// <summary>Type and method, as the keys of <see cref="Sound"/> begin.</summary>
    public string Key => IsConstructor ? Type.Name : $"{Type.Name}.{Method.Name}";

    public string Name => $"{Key}({string.Join(", ", Parameters.Select(p => p.Name))})";

    public object? Call(object? target, object?[] arguments) => Method is ConstructorInfo constructor
        ? constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null)
        : Method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
}

/// <summary>What a user of the library can call, found by reflection: what joins the library later is in it.</summary>
internal static class Surface
{
    public static IReadOnlyList<Member> Members { get; } =
    [
        .. typeof(pooling).Assembly.GetExportedTypes()
            .Where(type => type is { IsInterface: false, IsEnum: false } && !type.IsSubclassOf(typeof(Delegate)))
            .OrderBy(type => type.Name, StringComparer.Ordinal)
            .SelectMany(Of),
    ];

    /// <summary>The forward of a module of the registry; none where an adapter of the tests stands before it.</summary>
    public static IEnumerable<(Member Member, Case Item)> Forward(Case item)
    {
        using var module = item.Make();
        var forward = module.GetType().GetMethod("forward", [typeof(Tensor)])!;
        return module.GetType().Assembly == typeof(pooling).Assembly ? [(new(module.GetType(), forward), item)] : [];
    }

    private static IEnumerable<Member> Of(Type type)
    {
        const BindingFlags Public = BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance;
        var constructors = type.IsAbstract ? [] : type.GetConstructors();
        var methods = type.GetMethods(Public)
            .Where(method => method.DeclaringType!.Assembly == type.Assembly && (method.IsStatic || !type.IsAbstract))
            .Where(method => !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !method.Name.StartsWith("get_", StringComparison.Ordinal))
            .OrderBy(method => method.ToString(), StringComparer.Ordinal)
            .Select(Closed);
        return constructors.Concat<MethodBase>(methods).Select(method => new Member(type, method));
    }

    private static MethodInfo Closed(MethodInfo method) => method.IsGenericMethodDefinition
        ? method.MakeGenericMethod(Array.ConvertAll(method.GetGenericArguments(), argument =>
            argument.GetGenericParameterConstraints().Any(type => type == typeof(nn.Module)) ? typeof(Sum2) : typeof(Tensor)))
        : method;
}
