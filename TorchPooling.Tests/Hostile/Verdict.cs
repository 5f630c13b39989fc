using System.Reflection;
using static TorchSharp.torch;

namespace TorchPooling.Tests.Hostile;

/// <summary>Whether an exception is one that a caller can act on.</summary>
internal static class Verdict
{
    private static readonly NullabilityInfoContext Nullability = new();

    /// <summary>What is wrong with it; null where nothing is.</summary>
    public static string? Of(Exception thrown, Member member) => thrown switch
    {
        HostileException => null,
        ArgumentException when TakesModules(member) => null,   // a module that the caller handed in refuses under its own names
        ArgumentException { ParamName: null } => "names no argument",
        ArgumentException { ParamName: { } name } when !IsKnown(name, member) => $"names the argument {name}, which the caller does not know",
        ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException or InvalidOperationException =>
            thrown.Message.Length < 20 ? "says too little" : null,
        _ => "is none that a caller expects",
    };

    /// <summary>The parameters that have to refuse null.</summary>
    public static bool RefusesNull(ParameterInfo parameter) =>
        !parameter.ParameterType.IsValueType && Nullability.Create(parameter).WriteState == NullabilityState.NotNull;

    /// <summary>An argument of the call, with or without its number, or of the constructor before it.</summary>
    private static bool IsKnown(string name, Member member) =>
        Known(member).Any(p => p.Name!.TrimEnd([.. "123456"]) == name)
        || (member.Method.Name.StartsWith("set_", StringComparison.Ordinal) && name == "value");

    private static bool TakesModules(Member member) => Known(member).Any(p => p.ParameterType.IsAssignableTo(typeof(nn.Module)));

    private static IEnumerable<ParameterInfo> Known(Member member) =>
        member.Parameters.Concat(member.Type.GetConstructors().SelectMany(constructor => constructor.GetParameters()));
}
